"""What customers may use, as this process lately read it: never a source of truth.

An entry answers for `bound_seconds` after it was *read*, less when a hint says that its bucket has
moved beyond it. An older position never replaces a newer one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from random import random
from time import monotonic
from typing import Final, Protocol
from uuid import UUID

from api.check_answer import Answer, prepare
from api.coalescing import Coalescing
from api.snapshot_reader import Asked, Read
from ledger.ids import BUCKETS, bucket_in
from projections.entitlements import Snapshot

_MOST_HELD: Final = 50_000
_RENEWED_AFTER: Final = 0.5
_SPREAD: Final = 0.3
_GATHERING_SECONDS: Final = 0.05


class Books(Protocol):
    """Where entitlements are read, many customers at once; None for one that is not."""

    async def read(self, asked: Sequence[Asked]) -> Mapping[Asked, Read | None]: ...


@dataclass(slots=True)
class Held:
    """A customer's entitlements, and the answers already written out."""

    snapshot: Snapshot
    at: datetime
    bucket: int
    best_before: float
    renewed_after: float
    listening: int
    answers: dict[str, Answer] = field(default_factory=dict)

    def answer(self, feature: str, now: datetime) -> Answer:
        """The answer on a feature that holds now."""
        known = self.answers.get(feature)
        if known is not None and (known.until is None or now < known.until):
            return known
        as_of = self.at if known is None else now
        answer = prepare(self.snapshot.customer, self.snapshot.answer(feature, as_of))
        if answer.until is not None and answer.until <= now:
            answer = prepare(self.snapshot.customer, self.snapshot.answer(feature, now))
        self.answers[feature] = answer
        return answer


class EntitlementCache:
    """Entitlements by project and whatever name the customer was asked by."""

    def __init__(self, books: Books, bound_seconds: float) -> None:
        self._bound = bound_seconds
        self._held: dict[tuple[int, str], Held] = {}
        self._reached = [0] * BUCKETS
        self._listening = 0
        self._aging: list[Asked] = []
        self._renewing: set[asyncio.Task[None]] = set()
        self._loading: Coalescing[Asked, Read | None] = Coalescing(books.read)

    def at_hand(self, project: UUID, customer: str) -> Held | None:
        """What was read a moment ago and is not known to be outdated."""
        held = self._held.get((project.int, customer))
        if held is None:
            return None
        now = monotonic()
        if (
            held.best_before <= now
            or held.snapshot.position < self._reached[held.bucket]
            or held.listening != self._listening
        ):
            return None
        if held.renewed_after <= now:
            held.renewed_after = held.best_before
            self._renew((project, customer))
        return held

    async def read(self, project: UUID, customer: str) -> Held | None:
        """What the database says now; None when the project has no such customer."""
        listening = self._listening
        read = await self._loading.get((project, customer))
        return self._take((project, customer), read, listening)

    def heard(self, positions: Mapping[int, int]) -> None:
        """Read models have reached these positions: what was read before them is outdated."""
        for bucket, position in positions.items():
            self._reached[bucket] = max(position, self._reached[bucket])

    def missed(self) -> None:
        """News may have been lost: nothing read so far is to be relied upon."""
        self._listening += 1

    async def close(self) -> None:
        """Stop reading."""
        for renewing in list(self._renewing):
            renewing.cancel()
        await asyncio.gather(*self._renewing, return_exceptions=True)
        await self._loading.close()

    def _renew(self, asked: Asked) -> None:
        """Have an entry that is in use read again before its time is over."""
        # Alone, a question costs many times what it costs as one of many: they are gathered.
        self._aging.append(asked)
        if len(self._aging) == 1:
            renewing = asyncio.get_running_loop().create_task(self._renew_aging())
            self._renewing.add(renewing)
            renewing.add_done_callback(self._renewing.discard)

    async def _renew_aging(self) -> None:
        await asyncio.sleep(_GATHERING_SECONDS)
        aging, self._aging = self._aging, []
        listening = self._listening
        # What cannot be read now is read again when it is asked for, and then told.
        for asked, read in (await self._loading.get_all(set(aging))).items():
            self._take(asked, read, listening)

    def _take(self, asked: Asked, read: Read | None, listening: int) -> Held | None:
        """Hold what was read, unless something newer is held."""
        key = (asked[0].int, asked[1])
        if read is None:
            self._held.pop(key, None)
            return None
        before = self._held.get(key)
        if (
            before is not None
            and before.snapshot.position > read.snapshot.position
            and before.best_before > monotonic()
        ):
            return before
        held = Held(
            read.snapshot,
            read.at,
            bucket_in(read.snapshot.customer),
            best_before=read.began + self._bound,
            # Spread out, so that what was read together is not renewed together for ever.
            renewed_after=read.began + self._bound * (_RENEWED_AFTER + _SPREAD * random()),
            listening=listening,
        )
        self._held.pop(key, None)
        if len(self._held) >= _MOST_HELD:
            for oldest in list(self._held)[: _MOST_HELD // 10]:
                del self._held[oldest]
        self._held[key] = held
        return held
