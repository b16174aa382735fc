"""Every public payload we have, as a signed webhook: facts, or a reason that can be read."""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger.facts import Fact, ProviderAccount
from providers.port import Ignored, Reading, UnknownShape
from providers.strict_json import MalformedPayload
from providers.stripe.normalise import normalise, normalise_object
from providers.stripe.webhooks import read_envelope, verify
from tests.providers.stripe import shapes

FOLDER: Final = Path(__file__).parents[4] / "shared" / "stripe_payloads"
NOW: Final = datetime(2026, 11, 20, 12, tzinfo=UTC)
ACCOUNT: Final = ProviderAccount("stripe", "acct_1", livemode=False)
SECRET: Final = "whsec_test"

# What those payloads cannot give, each for a reason that lies in the payload.
UNREADABLE: Final = {
    "charge.failed__stripe-ruby-mock": "data.object.customer",
    "charge.succeeded__stripe-ruby-mock": "data.object.customer",
    "charge.succeeded__stripe_event": "data.object.customer",
    "checkout.session.completed__stripe-ruby-mock__2": "data.object.customer",
    "payment_intent.payment_failed__stripe-ruby-mock": "data.object.customer",
    "payment_intent.payment_failed__stripe-sync-engine": "data.object.customer",
    "payment_intent.succeeded__stripe-ruby-mock": "data.object.customer",
    "payment_intent.succeeded__stripe-sync-engine": "data.object.status",
    "plan.deleted__stripe-sync-engine": "data.object.product",
}


def events() -> list[Path]:
    if not (FOLDER / "SOURCES.json").exists():
        return []
    listed = json.loads((FOLDER / "SOURCES.json").read_text())["events"]
    return [FOLDER / one["file"] for one in listed]


def objects() -> list[Path]:
    return sorted((FOLDER / "objects").glob("*.json"))


needs_payloads = pytest.mark.skipif(
    not events(), reason=f"the public payloads are not beside the repository, in {FOLDER.name}"
)


def received(body: bytes) -> Reading | UnknownShape:
    stamp = str(int(NOW.timestamp())).encode()
    signature = hmac.digest(SECRET.encode(), stamp + b"." + body, "sha256").hex().encode()
    verify(body, b"t=" + stamp + b",v1=" + signature, [SECRET], NOW)
    try:
        return normalise(read_envelope(body).content, ACCOUNT)
    except UnknownShape as refused:
        return refused


@needs_payloads
def test_there_are_171_events() -> None:
    assert len(events()) == 171


@needs_payloads
@pytest.mark.parametrize("path", events(), ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_public_event_is_read_or_explained(path: Path) -> None:
    outcome = received(path.read_bytes())
    if isinstance(outcome, UnknownShape):
        assert outcome.field == UNREADABLE[path.stem]
        return
    assert path.stem not in UNREADABLE
    if isinstance(outcome, Ignored):
        assert outcome.reason
        return
    assert outcome
    assert all(isinstance(fact, Fact) for fact in outcome)


@needs_payloads
@pytest.mark.parametrize("path", objects(), ids=lambda path: path.stem)
def test_a_public_object_is_read_or_explained(path: Path) -> None:
    with suppress(UnknownShape):
        assert normalise_object(json.loads(path.read_bytes()), ACCOUNT, NOW, "fetched")


OURS: Final[Mapping[str, shapes.Json]] = {
    "customer.subscription.updated": shapes.NEW_SUBSCRIPTION,
    "customer.subscription.deleted": shapes.OLD_SUBSCRIPTION,
    "invoice.paid": shapes.NEW_INVOICE,
    "invoice.payment_failed": shapes.OLD_INVOICE,
    "charge.succeeded": shapes.CHARGE,
    "payment_intent.succeeded": shapes.INTENT,
    "checkout.session.completed": shapes.CHECKOUT,
    "product.updated": shapes.PRODUCT,
    "price.updated": shapes.PRICE,
    "plan.updated": shapes.PLAN,
}
_strange = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3) | st.just("card_declined"),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["id", "data", "amount", "price"]), inner, max_size=3)
    ),
    max_leaves=4,
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(sorted(OURS)), st.data())
def test_an_object_with_anything_in_any_place_is_read_or_explained(
    name: str, data: st.DataObject
) -> None:
    content = json.loads(json.dumps(OURS[name]))
    place = content
    while True:
        key = data.draw(
            st.sampled_from(sorted(place) if isinstance(place, dict) else range(len(place)))
        )
        inner = place[key]
        if not isinstance(inner, dict | list) or not inner or data.draw(st.booleans()):
            break
        place = inner
    place[key] = data.draw(_strange)
    body = json.dumps(shapes.event(name, content)).encode()
    with suppress(MalformedPayload):
        received(body)
