"""Ids that know their bucket: any id leads to its shard without a directory.

The log has 256 buckets, fixed for life. An id carries its bucket in the upper eight of the twelve
bits that RFC 9562 leaves free beside the version. A *new* id is a UUIDv7 (time first, so that
indexes grow at one end); a *derived* id is a UUIDv8 made from a name, so that two writers who speak
of the same thing make the same id.
"""

from __future__ import annotations

import hashlib
import os
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final
from uuid import UUID

BUCKETS: Final = 256
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)


# One command names the same few things again and again.
@lru_cache(maxsize=4096)
def _digest(parts: tuple[str, ...], person: bytes) -> bytes:
    # Length-prefixed, so that no two lists of parts read the same.
    raws = [part.encode() for part in parts]
    named = b"".join([piece for raw in raws for piece in (len(raw).to_bytes(4, "big"), raw)])
    return hashlib.blake2b(named, digest_size=16, person=person).digest()


def bucket_of(*parts: str) -> int:
    """The bucket of an owner that is named by these parts."""
    return _digest(parts, b"folio.bucket")[0]


def bucket_in(identifier: UUID) -> int:
    """The bucket an id carries."""
    return (identifier.int >> 68) & 0xFF


def new_id(bucket: int, now: datetime) -> UUID:
    """A fresh UUIDv7 of a bucket."""
    millis = ((now - _EPOCH) // _MILLISECOND) & ((1 << 48) - 1)
    tail = int.from_bytes(os.urandom(9), "big")
    free = (bucket << 4) | (tail >> 66 & 0xF)
    return UUID(
        int=(millis << 80) | (7 << 76) | (free << 64) | (2 << 62) | (tail & ((1 << 62) - 1))
    )


def derived_id(bucket: int, *parts: str) -> UUID:
    """The one UUIDv8 of a bucket that these parts name."""
    name = int.from_bytes(_digest(parts, b"folio.id"), "big")
    free = (bucket << 4) | (name >> 76 & 0xF)
    head, tail = name >> 80, name & ((1 << 62) - 1)
    return UUID(int=(head << 80) | (8 << 76) | (free << 64) | (2 << 62) | tail)


def owner_id(*parts: str) -> UUID:
    """The id of an owner (customer, project): its bucket follows from its name."""
    return derived_id(bucket_of(*parts), *parts)
