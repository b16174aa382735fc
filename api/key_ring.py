"""The API keys a process has lately seen to be live, held for two seconds at most.

A key is trusted for `bound_seconds` after it was *read*, less when a hint names its project's
bucket: so a revoked key is refused everywhere within that time, with or without hints.
"""

from __future__ import annotations

import asyncio
import hmac
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from time import monotonic
from typing import Final
from uuid import UUID

from api.api_key import key_id_of, keyed_hash
from ledger.clock import Clock
from ledger.errors import Unauthenticated
from ledger.events.project import Scope
from ledger.ids import BUCKETS, bucket_in

BOUND_SECONDS: Final = 2.0
_MOST_HELD: Final = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownKey:
    """A key as it stands in our books; `until` is the end it is already given, if any."""

    key_id: str
    project: UUID
    app: UUID
    scope: Scope
    secret_hash: bytes
    until: datetime | None


@dataclass(frozen=True, slots=True)
class _Held:
    key: KnownKey
    bucket: int
    hints: int
    best_before: float


class KeyRing:
    """Keys that have opened; `load` reads one by its public id, None when there is none."""

    def __init__(
        self,
        load: Callable[[str], KnownKey | None],
        pepper: bytes,
        clock: Clock,
        bound_seconds: float = BOUND_SECONDS,
    ) -> None:
        self._load = load
        self._pepper = pepper
        self._clock = clock
        self._bound = bound_seconds
        # What opened once is known again by a keyed hash of the whole token that only this process
        # can make: cheaper than the books' hash, and as blind to guesses.
        self._salt = secrets.token_bytes(32)
        self._held: dict[bytes, _Held] = {}
        self._hints = [0] * BUCKETS

    def at_hand(self, token: bytes) -> KnownKey | None:
        """The live key of this token, if it was read a moment ago; never asks the books."""
        held = self._held.get(blake2b(token, key=self._salt, digest_size=16).digest())
        if (
            held is None
            or held.best_before < monotonic()
            or held.hints != self._hints[held.bucket]
            or not self._lives(held.key)
        ):
            return None
        return held.key

    async def find(self, token: str) -> KnownKey:
        """The live key of this token; MalformedKey or Unauthenticated when there is none."""
        key_id = key_id_of(token)
        raw = token.encode()
        at_hand = self.at_hand(raw)
        if at_hand is not None:
            return at_hand
        read_at, hints = monotonic(), self._hints.copy()
        key = await asyncio.to_thread(self._load, key_id)
        if key is None or not (self._opens(key, raw) and self._lives(key)):
            raise Unauthenticated
        if len(self._held) >= _MOST_HELD:
            self._held.clear()
        bucket = bucket_in(key.project)
        opened = blake2b(raw, key=self._salt, digest_size=16).digest()
        self._held[opened] = _Held(key, bucket, hints[bucket], read_at + self._bound)
        return key

    def heard(self, positions: Mapping[int, int]) -> None:
        """Buckets have news: their projects' keys must be read again."""
        for bucket in positions:
            self._hints[bucket] += 1

    def missed(self) -> None:
        """News may have been lost: every key must be read again."""
        self.heard(dict.fromkeys(range(BUCKETS), 0))

    def _opens(self, key: KnownKey, token: bytes) -> bool:
        return hmac.compare_digest(keyed_hash(self._pepper, token), key.secret_hash)

    def _lives(self, key: KnownKey) -> bool:
        return key.until is None or self._clock.now() < key.until
