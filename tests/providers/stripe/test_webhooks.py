"""Who signed these bytes, and what they are about: every malformed message has a typed refusal."""

from __future__ import annotations

import hmac
import json
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
import stripe
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.facts import ProviderAccount
from providers.strict_json import MAX_BYTES, MalformedPayload
from providers.stripe.webhooks import (
    SignatureFault,
    SignatureRefused,
    read_envelope,
    verify,
    wrong_mode,
)

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
SECRET = "whsec_current"
ROLLED = "whsec_rolled_out"
EVENT: dict[str, object] = {
    "id": "evt_1",
    "object": "event",
    "api_version": "2026-10-28.endive",
    "created": 1_763_640_000,
    "type": "customer.created",
    "livemode": False,
    "data": {"object": {"id": "cus_1", "object": "customer"}},
}
BODY = json.dumps(EVENT, indent=2).encode()


def signature(body: bytes = BODY, secret: str = SECRET, at: datetime = NOW) -> str:
    signed = f"{int(at.timestamp())}.".encode() + body
    return hmac.digest(secret.encode(), signed, "sha256").hex()


def header(body: bytes = BODY, secret: str = SECRET, at: datetime = NOW) -> str:
    return f"t={int(at.timestamp())},v1={signature(body, secret, at)}"


def fault(
    sent: str | bytes | None,
    body: bytes = BODY,
    secrets: tuple[str | bytes, ...] = (SECRET,),
    now: datetime = NOW,
) -> SignatureFault:
    with pytest.raises(SignatureRefused) as refused:
        verify(body, sent, secrets, now)
    assert refused.value.reason == refused.value.fault
    assert SECRET not in str(refused.value)
    return refused.value.fault


def test_a_signed_message_passes() -> None:
    verify(BODY, header(), [SECRET], NOW)
    verify(BODY, header().encode(), [SECRET.encode()], NOW)


def test_the_package_reads_what_we_read() -> None:
    assert stripe.WebhookSignature.verify_header(BODY.decode(), header(), SECRET)


def test_each_live_secret_opens_while_one_is_rolled() -> None:
    for secret in (SECRET, ROLLED):
        verify(BODY, header(secret=secret), [SECRET, ROLLED], NOW)
    assert fault(header(secret=ROLLED)) == "mismatch"


def test_stripe_signs_with_both_secrets_while_it_rolls_one() -> None:
    both = f"t={int(NOW.timestamp())},v1={signature(secret=ROLLED)},v1={signature()}"
    verify(BODY, both, [SECRET], NOW)
    verify(BODY, both, [ROLLED], NOW)


def test_an_empty_body_is_signed_like_any_other() -> None:
    verify(b"", header(b""), [SECRET], NOW)


@pytest.mark.parametrize("sent", [None, "", b""])
def test_a_missing_header(sent: str | bytes | None) -> None:
    assert fault(sent) == "missing"


@pytest.mark.parametrize("sent", ["nonsense", ",", "v1", "t=1,,v1=2", "é=1", "t=1,v1=é"])
def test_a_malformed_header(sent: str) -> None:
    assert fault(sent) == "malformed"


@pytest.mark.parametrize(
    "stamp",
    [
        "",
        "now",
        "-1",
        "+1",
        "1.0",
        "1e9",
        " 1",
        "0x1",
        "1_000",
        "1;v1=2",
        "9" * 13,
        "9" * 4000,
        "١٢٣",
    ],
)
def test_a_timestamp_that_is_no_whole_number_of_seconds(stamp: str) -> None:
    assert fault(f"t={stamp},v1={signature()}".encode()) == "bad_timestamp"


def test_no_timestamp_or_two() -> None:
    assert fault(f"v1={signature()}") == "bad_timestamp"
    assert fault(f"{header()},t={int(NOW.timestamp())}") == "bad_timestamp"


@pytest.mark.parametrize("scheme", ["v0", "v2", "V1", "v1 ", "v11"])
def test_only_v1_counts(scheme: str) -> None:
    assert fault(f"t={int(NOW.timestamp())},{scheme}={signature()}") == "no_v1"


def test_other_schemes_beside_v1_are_passed_over() -> None:
    verify(BODY, f"{header()},v0={'0' * 64}", [SECRET], NOW)


def test_sixteen_signatures_are_enough() -> None:
    fifteen = ",".join(f"v1={'0' * 64}" for _ in range(15))
    verify(BODY, f"{header()},{fifteen}", [SECRET], NOW)
    assert fault(f"{header()},{fifteen},v1={'0' * 64}") == "too_many_signatures"
    assert fault(f"{header()},{fifteen},v0={'0' * 64}") == "too_many_signatures"
    assert fault(f"{header()},v1={'0' * 100_000}") == "too_many_signatures"


@pytest.mark.parametrize(
    "wrong", ["", "0" * 64, "\xff" * 64, "ünïcode", "zz", signature().upper(), signature()[:-1]]
)
def test_a_signature_of_other_bytes(wrong: str) -> None:
    assert fault(f"t={int(NOW.timestamp())},v1=".encode() + wrong.encode()) == "mismatch"


def test_one_changed_byte() -> None:
    assert fault(header(), body=BODY.replace(b"cus_1", b"cus_2")) == "mismatch"
    assert fault(header(), body=BODY + b" ") == "mismatch"


def test_another_timestamp_than_the_signed_one() -> None:
    assert fault(f"t={int(NOW.timestamp()) - 1},v1={signature()}") == "mismatch"


def test_the_tolerance_goes_both_ways() -> None:
    edge = timedelta(seconds=300)
    verify(BODY, header(), [SECRET], NOW + edge)
    verify(BODY, header(), [SECRET], NOW - edge)
    assert fault(header(), now=NOW + edge + timedelta(seconds=1)) == "too_old"
    assert fault(header(), now=NOW - edge - timedelta(seconds=1)) == "from_the_future"
    assert fault(header(), now=NOW - timedelta(days=1)) == "from_the_future"


@pytest.mark.parametrize("secrets", [(), ("",), (b"", "")])
def test_without_a_secret_everything_is_refused(secrets: tuple[str | bytes, ...]) -> None:
    assert fault(header(secret=""), secrets=secrets) == "no_secret"


@settings(deadline=None)
@given(st.binary(max_size=200) | st.text(max_size=200), st.binary(max_size=50))
def test_noise_in_the_header_is_only_ever_refused(sent: str | bytes, body: bytes) -> None:
    with pytest.raises(SignatureRefused):
        verify(body, sent, [SECRET], NOW)


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from([b"t", b"v1", b"v0", b"", b" t"]),
            st.sampled_from([b"1763640000", b"", b"=", b"\xff", b"0" * 64]) | st.binary(max_size=8),
        )
    )
)
def test_headers_made_of_the_right_parts_are_only_ever_refused(
    parts: list[tuple[bytes, bytes]],
) -> None:
    sent = b",".join(name + b"=" + value for name, value in parts)
    with pytest.raises(SignatureRefused):
        verify(BODY, sent, [SECRET], NOW)


def test_an_envelope_says_what_a_message_is_about() -> None:
    envelope = read_envelope(BODY)
    assert (envelope.id, envelope.type, envelope.livemode) == ("evt_1", "customer.created", False)
    assert envelope.created == datetime(2025, 11, 20, 12, tzinfo=UTC)
    assert (envelope.account, envelope.api_version) == (None, "2026-10-28.endive")
    assert (envelope.object_id, envelope.thin) == ("cus_1", False)
    assert envelope.content == EVENT


def test_an_account_is_named_by_account_or_by_context() -> None:
    by_account = read_envelope(json.dumps({**EVENT, "account": "acct_2"}).encode())
    by_context = read_envelope(json.dumps({**EVENT, "context": "acct_2"}).encode())
    assert by_account.account == by_context.account == "acct_2"


def test_a_thin_message_is_known_as_such() -> None:
    thin = {
        "id": "evt_test_65",
        "object": "v2.core.event",
        "type": "v1.billing.meter.error_report_triggered",
        "livemode": False,
        "created": "2026-11-20T12:00:00.123Z",
        "context": None,
        "related_object": {"id": "mtr_1", "type": "billing.meter", "url": "/v1/billing/meters/m"},
    }
    envelope = read_envelope(json.dumps(thin).encode())
    assert envelope.thin
    assert envelope.created == NOW + timedelta(milliseconds=123)
    assert envelope.object_id == "mtr_1"


BROKEN: dict[str, dict[str, object]] = {
    "no id": {"id": None},
    "an id that is a number": {"id": 1},
    "an empty id": {"id": ""},
    "an endless id": {"id": "e" * 256},
    "an id with a blank": {"id": "evt 1"},
    "an id with a line break": {"id": "evt\n1"},
    "an id outside ASCII": {"id": "evt_é"},
    "no type": {"type": None},
    "a type that is a list": {"type": []},
    "no object": {"object": None},
    "another object": {"object": "customer"},
    "no time": {"created": None},
    "a time as text": {"created": "1763640000"},
    "a time that is true": {"created": True},
    "a time with a fraction": {"created": 1.5},
    "a time before 1970": {"created": -1},
    "a time after 9999": {"created": 10**15},
    "no mode": {"livemode": None},
    "a mode as text": {"livemode": "false"},
    "an account that is a number": {"account": 1},
    "no data": {"data": None},
    "data that is a list": {"data": []},
    "no data.object": {"data": {}},
    "a data.object that is a list": {"data": {"object": []}},
    "a thin time without a zone": {"object": "v2.core.event", "created": "2026-11-20T12:00:00"},
    "a thin time in seconds": {"object": "v2.core.event"},
    "a thin time that is none": {"object": "v2.core.event", "created": "soon"},
    "a thin relation that is a text": {
        "object": "v2.core.event",
        "created": "2026-11-20T12:00:00Z",
        "related_object": "cus_1",
    },
}


@pytest.mark.parametrize("change", BROKEN.values(), ids=BROKEN)
def test_an_envelope_of_another_form(change: dict[str, object]) -> None:
    with pytest.raises(MalformedPayload):
        read_envelope(json.dumps({**EVENT, **change}).encode())


@pytest.mark.parametrize("body", [b"[]", b"null", b'"evt_1"', b"1", b"true", b"{}", b"", b"\xff"])
def test_a_body_that_is_no_message(body: bytes) -> None:
    with pytest.raises(MalformedPayload):
        read_envelope(body)


def test_a_body_over_the_limit() -> None:
    with pytest.raises(MalformedPayload):
        read_envelope(BODY + b" " * MAX_BYTES)


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from([*EVENT, "account", "context"]), st.integers() | st.text()))
def test_any_change_gives_an_envelope_or_a_typed_refusal(change: dict[str, object]) -> None:
    with suppress(MalformedPayload):
        read_envelope(json.dumps({**EVENT, **change}).encode())


def test_a_message_of_the_other_mode_is_told_apart() -> None:
    live = ProviderAccount("stripe", "acct_1", livemode=True)
    test = ProviderAccount("stripe", "acct_1", livemode=False)
    assert wrong_mode(read_envelope(BODY), test) is None
    assert wrong_mode(read_envelope(BODY), live) == "a test message came to a live endpoint"
