"""The answer to "may this customer use this feature?", written out once and sent many times."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from typing import Final
from uuid import UUID

import msgspec

from ledger.events.catalog import FeatureKind, FeatureValue
from projections.entitlements import Entitlement

Headers = list[tuple[bytes, bytes]]

_encode: Final = msgspec.json.Encoder().encode


class _Document(msgspec.Struct, frozen=True, gc=False):
    allowed: bool
    kind: FeatureKind | None
    value: FeatureValue | msgspec.Raw
    reason: str
    source: str | None
    valid_until: datetime | None
    position: int
    as_of: datetime
    feature: str
    customer: UUID


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer as bytes; it holds `until` then, and its tag changes only when it does."""

    allowed: bool
    until: datetime | None
    etag: bytes
    body: bytes
    headers: Headers
    unchanged_headers: Headers

    def is_known(self, if_none_match: bytes) -> bool:
        """Whether the caller already has this answer, by the tags it says it has."""
        return if_none_match == self.etag or (
            if_none_match.strip() == b"*"
            or self.etag in [tag.strip() for tag in if_none_match.split(b",")]
        )


def _value(entitlement: Entitlement) -> FeatureValue | msgspec.Raw:
    # A config is kept as the text of its document and sent as the document.
    if entitlement.kind is FeatureKind.CONFIG and isinstance(entitlement.value, str):
        return msgspec.Raw(entitlement.value.encode())
    return entitlement.value


def prepare(customer: UUID, entitlement: Entitlement) -> Answer:
    """Write an answer out."""
    said = (
        entitlement.allowed,
        entitlement.kind,
        _value(entitlement),
        entitlement.reason.value,
        entitlement.source.value if entitlement.source else None,
        entitlement.valid_until,
    )
    body = _encode(
        _Document(*said, entitlement.position, entitlement.as_of, entitlement.feature, customer)
    )
    # Of what is said alone: the position moves on with every event of the bucket.
    etag = b'W/"%s"' % blake2b(_encode(said), digest_size=8).hexdigest().encode()
    kept = [(b"etag", etag)]
    told = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
    ]
    return Answer(entitlement.allowed, entitlement.valid_until, etag, body, [*told, *kept], kept)
