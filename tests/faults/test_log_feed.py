"""A reader who follows eight writers misses, repeats and reorders nothing."""

from __future__ import annotations

import subprocess
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar
from uuid import UUID

import psycopg
import pytest

from ledger.clock import SystemClock
from ledger.events.base import RecordedEvent
from ledger.journal.posting_rules import entry_for
from ledger.store.postgres_log import PostgresLog
from tests.conftest import Database
from tests.faults import processes
from tests.faults.unprotected_writer import RIGHTS, TABLE
from tests.ledger.store.variants import partition

WRITERS = 8
ROWS = 400
Item = TypeVar("Item")


@pytest.mark.parametrize(
    ("events", "layout"),
    [
        (20_000, "plain"),
        pytest.param(100_000, "plain", marks=pytest.mark.long),
        pytest.param(100_000, "partitioned", marks=pytest.mark.long),
    ],
)
def test_a_follower_sees_every_event_once_and_in_order(
    database: Database, tmp_path: Path, events: int, layout: str
) -> None:
    if layout == "partitioned":
        partition(database.owner_url)
    log = PostgresLog(database.url, SystemClock(), post=entry_for)
    appends = events * 2 // (5 * WRITERS)  # an append has two and a half events
    writers = [
        processes.start(
            "tests.faults.log_writer",
            "steady",
            database.url,
            n,
            appends,
            output=tmp_path / f"{n}.txt",
        )
        for n in range(WRITERS)
    ]
    reached: dict[int, int] = {}

    def read() -> list[RecordedEvent]:
        heads = log.heads()
        lagging = {b: reached.get(b, 0) for b, head in heads.items() if head > reached.get(b, 0)}
        found = log.read(lagging, 500)
        for event in found:
            reached[event.bucket] = event.position
        return found

    followed = _follow(writers, read)
    log.close()

    acknowledged = [
        line for n in range(WRITERS) for line in (tmp_path / f"{n}.txt").read_text().splitlines()
    ]
    assert len(acknowledged) > events * 0.95
    assert sorted(acknowledged) == sorted(f"{e.stream} {e.version}" for e in followed)
    _assert_dense(followed, lambda event: event.bucket, lambda event: event.position)
    _assert_dense(followed, lambda event: event.stream, lambda event: event.version)


def test_a_follower_of_a_sequence_does_miss_rows(database: Database) -> None:
    """The same reader on an unprotected table: the proof above has teeth."""
    with psycopg.connect(database.owner_url, autocommit=True) as connection:
        connection.execute(TABLE)
        connection.execute(RIGHTS)
        writers = [
            processes.start("tests.faults.unprotected_writer", database.url, ROWS, n)
            for n in range(WRITERS)
        ]
        last = 0

        def read() -> list[int]:
            nonlocal last
            found = connection.execute(
                "SELECT position FROM unprotected WHERE position > %s ORDER BY position LIMIT 500",
                (last,),
            ).fetchall()
            last = found[-1][0] if found else last
            return [position for (position,) in found]

        followed = _follow(writers, read)

    assert len(followed) < WRITERS * ROWS


def _follow(writers: list[subprocess.Popen[bytes]], read: Callable[[], list[Item]]) -> list[Item]:
    """Read until the writers are done and nothing more comes."""
    followed: list[Item] = []
    with processes.ended(writers):
        while True:
            done = all(writer.poll() is not None for writer in writers)
            found = read()
            followed += found
            if done and not found:
                break
            if not found:
                time.sleep(0.002)
        assert [writer.returncode for writer in writers] == [0] * WRITERS
    return followed


def _assert_dense(
    events: list[RecordedEvent],
    of: Callable[[RecordedEvent], int | UUID],
    number: Callable[[RecordedEvent], int],
) -> None:
    """In the order of reading, each series counts 1, 2, 3 and so on."""
    series: defaultdict[int | UUID, list[int]] = defaultdict(list)
    for event in events:
        series[of(event)].append(number(event))
    for numbers in series.values():
        assert numbers == list(range(1, len(numbers) + 1))
