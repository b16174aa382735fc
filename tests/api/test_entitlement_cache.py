"""The cache of entitlements: what it may still say, and what it must read again."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Final
from uuid import UUID

from api.entitlement_cache import EntitlementCache
from api.snapshot_reader import Asked, Read
from ledger.events.catalog import FeatureKind
from ledger.ids import bucket_in, owner_id
from ledger.rules.entitlement import Reason, Source
from projections.entitlements import Belief, Snapshot

PROJECT: Final = owner_id("project", "acme")
ANN: Final = owner_id("customer", "ann")
BUCKET: Final = bucket_in(ANN)
NOON: Final = datetime(2026, 11, 20, 12, tzinfo=UTC)


class Books:
    """The read model as far as it has come, read at a moment before now if so told."""

    def __init__(self) -> None:
        self.position = 1
        self.age = 0.0
        self.reads = 0
        self.news = asyncio.Event()

    async def read(self, asked: Sequence[Asked]) -> dict[Asked, Read | None]:
        self.reads += 1
        self.news.set()
        snapshot = Snapshot(ANN, PROJECT, self.position, {"export": beliefs()})
        return {
            each: Read(snapshot, NOON, monotonic() - self.age) if each[1] == "ann" else None
            for each in asked
        }


def beliefs() -> tuple[Belief, ...]:
    def belief(start: datetime, end: datetime | None, allowed: bool) -> Belief:
        return Belief(
            "export",
            start,
            end,
            allowed,
            FeatureKind.BOOLEAN,
            allowed,
            Source.GRANT,
            ANN,
            Reason.GRANT,
        )

    turn = NOON + timedelta(minutes=1)
    return belief(NOON - timedelta(days=1), turn, True), belief(turn, None, False)


def has(cache: EntitlementCache, project: UUID = PROJECT) -> bool:
    return cache.at_hand(project, "ann") is not None


def filled(books: Books, seconds: float = 3600) -> EntitlementCache:
    cache = EntitlementCache(books, seconds)
    assert asyncio.run(cache.read(PROJECT, "ann")) is not None
    return cache


def test_what_was_read_is_at_hand_for_its_project_alone() -> None:
    cache = filled(Books())
    assert has(cache)
    assert not has(cache, owner_id("project", "other"))


def test_nobody_is_not_remembered() -> None:
    cache = EntitlementCache(Books(), 3600)
    assert asyncio.run(cache.read(PROJECT, "nobody")) is None
    assert cache.at_hand(PROJECT, "nobody") is None


def test_its_time_counts_from_the_reading() -> None:
    books = Books()
    books.age = 10
    assert has(filled(books, 3600))
    assert not has(filled(books, 9))
    assert not has(filled(books, 0))


def test_a_hint_of_its_own_bucket_ends_it_when_it_is_news() -> None:
    cache = filled(Books())
    cache.heard({BUCKET: 1, (BUCKET + 1) % 256: 99})
    assert has(cache)
    cache.heard({BUCKET: 2})
    assert not has(cache)
    cache.heard({BUCKET: 1})
    assert not has(cache)


def test_missed_hints_end_everything() -> None:
    cache = filled(Books())
    cache.missed()
    assert not has(cache)


def test_an_older_position_never_replaces_a_newer_one() -> None:
    async def story() -> None:
        books = Books()
        cache = EntitlementCache(books, 3600)
        books.position = 7
        await cache.read(PROJECT, "ann")
        books.position = 5
        late = await cache.read(PROJECT, "ann")
        assert late is not None
        assert late.snapshot.position == 7
        held = cache.at_hand(PROJECT, "ann")
        assert held is not None
        assert held.snapshot.position == 7

    asyncio.run(story())


def test_an_answer_ends_when_it_said_it_would() -> None:
    held = filled(Books()).at_hand(PROJECT, "ann")
    assert held is not None
    before = held.answer("export", NOON + timedelta(seconds=59))
    assert before is held.answer("export", NOON + timedelta(seconds=30))
    after = held.answer("export", NOON + timedelta(seconds=60))
    assert (before.allowed, after.allowed) == (True, False)
    assert before.etag != after.etag
    late = held.answer("unheard", NOON + timedelta(days=1))
    assert (late.allowed, late.until) == (False, None)


def test_what_is_in_use_is_read_again_before_its_time_is_over() -> None:
    async def story() -> None:
        books = Books()
        books.age = 3000
        cache = EntitlementCache(books, 3600)
        old = await cache.read(PROJECT, "ann")
        books.age = 0
        books.news.clear()
        for _ in range(3):
            assert cache.at_hand(PROJECT, "ann") is old
        await books.news.wait()
        await asyncio.sleep(0.01)
        fresh = cache.at_hand(PROJECT, "ann")
        assert fresh is not None
        assert fresh is not old
        assert books.reads == 2
        await cache.close()

    asyncio.run(story())


def test_what_is_fresh_is_left_alone() -> None:
    async def story() -> None:
        books = Books()
        cache = EntitlementCache(books, 3600)
        first = await cache.read(PROJECT, "ann")
        assert cache.at_hand(PROJECT, "ann") is first
        await asyncio.sleep(0.1)
        assert books.reads == 1
        await cache.close()

    asyncio.run(story())
