"""Who is grouped with whom, and who hears of what."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest

from ledger.clock import SystemClock
from ledger.errors import VersionConflict
from ledger.journal.posting_rules import entry_for
from ledger.store.event_log import Receipt
from ledger.store.grouping import Grouping
from ledger.store.postgres_log import PostgresLog
from tests.ledger.store.samples import append_of, identified, new_events, some_owner


@dataclass(frozen=True)
class Wish:
    """Something to be run in a group; two wishes of one claim never share a group."""

    name: str
    claims: frozenset[str]
    count: int = 1


def wish(name: str, *claims: str) -> Wish:
    return Wish(name, frozenset(claims or {name}))


class Slow:
    """Runs groups, the first of them only when it is let go."""

    def __init__(self) -> None:
        self.groups: list[list[str]] = []
        self.started = threading.Event()
        self.let_go = threading.Event()

    def run(self, group: Sequence[Wish]) -> Sequence[str | Exception]:
        self.groups.append([wished.name for wished in group])
        self.started.set()
        self.let_go.wait()
        return [
            ValueError(one.name) if one.name.startswith("bad") else one.name.upper()
            for one in group
        ]


def test_what_waits_behind_a_commit_goes_together_unless_it_overlaps() -> None:
    slow = Slow()
    grouping: Grouping[Wish, str] = Grouping(slow.run, most=100)
    with ThreadPoolExecutor(8) as pool:
        first = pool.submit(grouping.submit, wish("first"))
        slow.started.wait()
        others = []
        for waiting, wished in enumerate(
            [wish("a", "x"), wish("bad"), wish("b", "y", "x"), wish("c", "y")], 1
        ):
            others.append(pool.submit(grouping.submit, wished))
            while len(grouping._waiting) < waiting:
                threading.Event().wait(0.001)
        slow.let_go.set()

        assert first.result() == "FIRST"
        assert [others[n].result() for n in (0, 2, 3)] == ["A", "B", "C"]
        with pytest.raises(ValueError, match="bad"):
            others[1].result()

    assert slow.groups == [["first"], ["a", "bad", "c"], ["b"]]


def test_a_group_writes_no_more_than_it_may() -> None:
    slow = Slow()
    grouping: Grouping[Wish, str] = Grouping(slow.run, most=4)
    with ThreadPoolExecutor(8) as pool:
        pool.submit(grouping.submit, wish("first"))
        slow.started.wait()
        for waiting in range(1, 6):
            pool.submit(grouping.submit, wish(f"w{waiting}"))
            while len(grouping._waiting) < waiting:
                threading.Event().wait(0.001)
        slow.let_go.set()

    assert [len(group) for group in slow.groups] == [1, 2, 2, 1]


def test_when_the_run_itself_fails_every_member_hears_of_it() -> None:
    def fail(_group: Sequence[Wish]) -> Sequence[str]:
        raise RuntimeError("broken")

    grouping: Grouping[Wish, str] = Grouping(fail, most=4)

    for _ in range(2):
        with pytest.raises(RuntimeError, match="broken"):
            grouping.submit(wish("a"))


def test_tasks_and_threads_share_the_log(module_database_url: str) -> None:
    log = PostgresLog(module_database_url, SystemClock(), post=entry_for)
    owners = [some_owner() for _ in range(60)]
    refused = owners[7]
    log.append(append_of(refused, new_events(refused, identified())))
    appends = [append_of(owner, new_events(owner, identified())) for owner in owners]

    async def run() -> list[Receipt | BaseException]:
        loop = asyncio.get_running_loop()
        by_threads = [loop.run_in_executor(None, log.append, append) for append in appends[::2]]
        by_tasks = [log.append_async(append) for append in appends[1::2]]
        return await asyncio.gather(*by_threads, *by_tasks, return_exceptions=True)

    outcomes = asyncio.run(run())

    assert [type(one) for one in outcomes if not isinstance(one, Receipt)] == [VersionConflict]
    found = log.streams(owners)
    assert all(len(events) == 1 for events in found.values())
    log.close()
