"""Rows of reading history: decoded events against the bytes of the same rows, drained."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from functools import partial

import msgspec
import psycopg

from bench.bench import Bench
from bench.event_log import some_append
from bench.raw_events import COLUMNS, connect
from bench.rows import Row
from ledger.clock import SystemClock
from ledger.events.invoice import InvoiceIssued
from ledger.store.postgres_log import PostgresLog
from ledger.store.replay import Replay
from projections.batch_memory import RARE_COLLECTIONS

_COPY = f"COPY (SELECT {COLUMNS} FROM log_event ORDER BY bucket, pos) TO STDOUT (FORMAT BINARY)"


class Amount(msgspec.Struct, gc=False):
    """A sum of money, unchecked."""

    amount: int
    currency: str


class Billed(msgspec.Struct, gc=False):
    """What a sum of invoices needs of each."""

    total: Amount


def rows(bench: Bench) -> Iterator[Row]:
    """The log's part of the table that reads."""
    url, owner_url = bench.database()
    log = PostgresLog(url, SystemClock(), post=lambda _: None)
    for _ in range(bench.times(200)):
        log.append(some_append(1000))
    with psycopg.connect(owner_url, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE log_event")
    reading = Reading(url, log)
    yield Row(
        name="replay, every field of each event, folded",
        unit="events/s",
        ours=partial(reading.replayed, InvoiceIssued),
        baseline=reading.copied,
        reach=0.35,
        aim=0.5,
    )
    yield Row(
        name="replay, only the fields folded",
        unit="events/s",
        ours=partial(reading.replayed, Billed),
        baseline=reading.copied,
        reach=0.7,
        aim=0.9,
    )
    yield Row(
        name="read as recorded events, envelope and all",
        unit="events/s",
        ours=reading.read,
        baseline=reading.copied,
    )
    log.close()


class Reading:
    """Both contestants of the rows that read; ours with few collections, as a catch-up reads."""

    def __init__(self, url: str, log: PostgresLog) -> None:
        self._url = url
        self._log = log
        self._raw = connect(url)
        self._heads = log.heads()
        self._events = sum(self._heads.values())

    def copied(self) -> float:
        started = time.perf_counter()
        with self._raw.cursor().copy(_COPY) as copy:
            size = sum(len(piece) for piece in copy)
        assert size
        return self._events / (time.perf_counter() - started)

    def replayed(self, shape: type[InvoiceIssued | Billed]) -> float:
        started = time.perf_counter()
        billed: Counter[str] = Counter()
        count = 0
        replay = Replay(self._url, {"invoice.issued": shape})
        with RARE_COLLECTIONS:
            for block in replay.blocks({}, self._heads):
                count += len(block)
                for facts in block.facts:
                    total = facts.total
                    billed[total.currency] += total.amount
        assert count == self._events
        return count / (time.perf_counter() - started)

    def read(self) -> float:
        started = time.perf_counter()
        reached = dict.fromkeys(self._heads, 0)
        count = 0
        with RARE_COLLECTIONS:
            while events := self._log.read(reached, 1000):
                count += len(events)
                for event in events:
                    reached[event.bucket] = event.position
        assert count == self._events
        return count / (time.perf_counter() - started)
