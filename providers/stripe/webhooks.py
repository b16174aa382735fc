"""Stripe's signed messages: who sent these bytes, and what they are about.

The signature is checked over the raw bytes by our own reader, because the package's accepts any
future timestamp and fails with untyped errors on hostile headers.
Source: https://docs.stripe.com/webhooks#verify-manually
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final

from ledger.clock import from_unix
from ledger.errors import InvalidInput
from ledger.facts import ProviderAccount
from providers.strict_json import MalformedPayload, decode

TOLERANCE_SECONDS: Final = 300
MAX_SIGNATURES: Final = 16
_MAX_HEADER_BYTES: Final = 4096
_MAX_TIMESTAMP_DIGITS: Final = 12
_LAST_SECOND: Final = 253_402_300_799  # the end of the year 9999
_MAX_NAME: Final = 255


class SignatureFault(StrEnum):
    """What is wrong with a signature."""

    UNCONFIGURED = "no_secret"  # we have none to check with: everything is refused
    MISSING = "missing"
    MALFORMED = "malformed"
    BAD_TIMESTAMP = "bad_timestamp"
    NO_V1 = "no_v1"
    TOO_MANY_SIGNATURES = "too_many_signatures"
    TOO_OLD = "too_old"
    FROM_THE_FUTURE = "from_the_future"
    MISMATCH = "mismatch"


class SignatureRefused(InvalidInput):
    """A message that we cannot hold to be Stripe's; `reason` is a SignatureFault."""

    code = "signature_refused"

    def __init__(self, fault: SignatureFault) -> None:
        super().__init__("Stripe-Signature", fault)
        self.fault = fault


def verify(
    payload: bytes,
    header: str | bytes | None,
    secrets: Sequence[str | bytes],
    now: datetime,
    tolerance_seconds: int = TOLERANCE_SECONDS,
) -> None:
    """Return when one live secret signed exactly these bytes near `now`; SignatureRefused if not.

    Several secrets are live while one is being rolled or two endpoints run side by side.
    """
    keys = [key for key in map(_as_bytes, secrets) if key]
    if not keys:
        raise SignatureRefused(SignatureFault.UNCONFIGURED)
    stamp, signatures = _read_header(header)
    age = now.timestamp() - int(stamp)
    if age > tolerance_seconds:
        raise SignatureRefused(SignatureFault.TOO_OLD)
    if age < -tolerance_seconds:
        raise SignatureRefused(SignatureFault.FROM_THE_FUTURE)
    signed = b"%s.%s" % (stamp, payload)
    matches = 0
    for key in keys:
        expected = hmac.digest(key, signed, "sha256").hex().encode()
        for signature in signatures:
            matches += hmac.compare_digest(expected, signature)
    if not matches:
        raise SignatureRefused(SignatureFault.MISMATCH)


def _as_bytes(secret: str | bytes) -> bytes:
    return secret.encode() if isinstance(secret, str) else secret


def _read_header(header: str | bytes | None) -> tuple[bytes, list[bytes]]:
    """The timestamp as it was signed, and the v1 signatures; other schemes are passed over."""
    if not header:
        raise SignatureRefused(SignatureFault.MISSING)
    try:
        raw = header.encode("ascii") if isinstance(header, str) else header
    except UnicodeEncodeError:
        raise SignatureRefused(SignatureFault.MALFORMED) from None
    if len(raw) > _MAX_HEADER_BYTES:
        raise SignatureRefused(SignatureFault.TOO_MANY_SIGNATURES)
    stamps: list[bytes] = []
    signatures: list[bytes] = []
    schemes = 0
    for part in raw.split(b","):
        name, equals, value = part.strip().partition(b"=")
        if not equals:
            raise SignatureRefused(SignatureFault.MALFORMED)
        if name == b"t":
            stamps.append(value)
            continue
        schemes += 1
        if name == b"v1":
            signatures.append(value)
    if schemes > MAX_SIGNATURES:
        raise SignatureRefused(SignatureFault.TOO_MANY_SIGNATURES)
    if len(stamps) != 1 or not stamps[0].isdigit() or len(stamps[0]) > _MAX_TIMESTAMP_DIGITS:
        raise SignatureRefused(SignatureFault.BAD_TIMESTAMP)
    if not signatures:
        raise SignatureRefused(SignatureFault.NO_V1)
    return stamps[0], signatures


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """What a message says of itself before anything in it is interpreted.

    `thin` messages name an object without its state. `content` is the whole message as it was read.
    """

    id: str
    type: str
    created: datetime
    livemode: bool
    account: str | None
    api_version: str | None
    object_id: str | None
    thin: bool
    content: Mapping[str, object]


def read_envelope(payload: bytes) -> Envelope:
    """The envelope of a verified body; raises MalformedPayload."""
    content = decode(payload)
    if not isinstance(content, dict):
        raise MalformedPayload("body", "is not a JSON object")
    thin = content.get("object") == "v2.core.event"
    if not thin and content.get("object") != "event":
        raise MalformedPayload("object", "is not an event")
    return Envelope(
        id=_name(content, "id"),
        type=_name(content, "type"),
        created=_thin_moment(content) if thin else _moment(content),
        livemode=_livemode(content),
        account=_optional_name(content, "account") or _optional_name(content, "context"),
        api_version=_optional_name(content, "api_version"),
        object_id=_thin_object_id(content) if thin else _object_id(content),
        thin=thin,
        content=content,
    )


def wrong_mode(envelope: Envelope, account: ProviderAccount) -> str | None:
    """Why this message does not belong to this side of the provider's world; None when it does."""
    if envelope.livemode == account.livemode:
        return None
    said, ours = ("live", "test") if envelope.livemode else ("test", "live")
    return f"a {said} message came to a {ours} endpoint"


def _name(content: Mapping[str, object], field: str) -> str:
    value = content.get(field)
    if not isinstance(value, str) or not 0 < len(value) <= _MAX_NAME:
        raise MalformedPayload(field, f"is not a text of 1 to {_MAX_NAME} characters")
    if not (value.isascii() and value.isprintable()) or " " in value:
        raise MalformedPayload(field, "has a character outside visible ASCII")
    return value


def _optional_name(content: Mapping[str, object], field: str) -> str | None:
    return None if content.get(field) is None else _name(content, field)


def _livemode(content: Mapping[str, object]) -> bool:
    value = content.get("livemode")
    if not isinstance(value, bool):
        raise MalformedPayload("livemode", "is not true or false")
    return value


def _moment(content: Mapping[str, object]) -> datetime:
    value = content.get("created")
    if type(value) is not int or not 0 <= value <= _LAST_SECOND:
        raise MalformedPayload("created", "is not a time in whole seconds")
    return from_unix(value)


def _thin_moment(content: Mapping[str, object]) -> datetime:
    value = content.get("created")
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
        if moment is None or moment.tzinfo is None:
            raise MalformedPayload("created", "is not a time with its zone")
        return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise MalformedPayload("created", "is not a time with its zone") from None


def _object_id(content: Mapping[str, object]) -> str | None:
    data = content.get("data")
    state = data.get("object") if isinstance(data, dict) else None
    if not isinstance(state, dict):
        raise MalformedPayload("data.object", "is not a JSON object")
    return _reference(state)


def _thin_object_id(content: Mapping[str, object]) -> str | None:
    related = content.get("related_object")
    if related is None:
        return None
    if not isinstance(related, dict):
        raise MalformedPayload("related_object", "is not a JSON object")
    return _reference(related)


def _reference(state: Mapping[str, object]) -> str | None:
    """An object's id, if it has one; some are chosen by people and may hold anything."""
    value = state.get("id")
    return value if isinstance(value, str) and 0 < len(value) <= _MAX_NAME else None
