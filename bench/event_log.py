"""Rows of the event log: appending and reading history, against raw rows of the same bytes."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from uuid import uuid4

import psycopg

from bench.bench import Bench
from bench.raw_events import (
    INSERT,
    INSERT_BATCH,
    RAW_TABLE,
    RIGHTS,
    RawRow,
    connect,
    in_threads,
    raw_rows,
)
from bench.rows import Row
from ledger.clock import SystemClock
from ledger.events.base import NewEvent
from ledger.events.invoice import InvoiceIssued, InvoiceLine
from ledger.ids import new_id, owner_id
from ledger.money import Money
from ledger.store.event_log import Append
from ledger.store.postgres_log import PostgresLog

_AT = datetime(2026, 11, 1, 12, tzinfo=UTC)
_PROJECT = owner_id("project", "bench")


def rows(bench: Bench) -> Iterator[Row]:
    """The log's part of the table."""
    url, owner_url = bench.database()
    with psycopg.connect(owner_url, autocommit=True) as connection:
        connection.execute(RAW_TABLE)
        connection.execute(RIGHTS)
    log = PostgresLog(url, SystemClock(), post=lambda _: None)
    appending = Appending(bench, url, log)
    yield Row(
        name="one durable append, 1 client (p50)",
        unit="/s",
        ours=appending.one_by_one,
        baseline=appending.raw_one_by_one,
        reach=0.65,
        aim=0.8,
    )
    yield Row(
        name="appends, 8 threads",
        unit="/s",
        ours=partial(appending.by_threads, 8),
        baseline=partial(appending.raw_by_threads, 8),
        reach=1.0,
        aim=1.2,
    )
    yield Row(
        name="appends, 64 in flight (tasks)",
        unit="/s",
        ours=partial(appending.by_tasks, 64),
        baseline=partial(appending.raw_by_threads, 64),
        reach=2.0,
        aim=4.0,
    )
    yield Row(
        name="appends, 64 in flight (threads)",
        unit="/s",
        ours=partial(appending.by_threads, 64),
        baseline=partial(appending.raw_by_threads, 64),
    )
    yield Row(
        name="batch of 1,000 events",
        unit="events/s",
        ours=appending.batches,
        baseline=appending.raw_batches,
        reach=0.8,
        aim=0.9,
    )
    log.close()


def some_append(events: int = 1) -> Append:
    """Invoices of a new customer, each a stream of its own; about 500 bytes of state each."""
    owner = owner_id("customer", uuid4().hex)
    bucket = owner.int >> 68 & 0xFF
    return Append(
        project=_PROJECT,
        owner=owner,
        actor="bench",
        correlation=uuid4(),
        causation=None,
        events=tuple(
            NewEvent(
                stream=new_id(bucket, datetime.now(UTC)),
                version=1,
                event=InvoiceIssued(
                    customer=owner,
                    subscription=owner,
                    provider_id=f"in_{number:024}",
                    number=f"F-2026-{number:06}",
                    total=Money(2400, "usd"),
                    tax=Money(400, "usd"),
                    lines=(_LINE,),
                ),
                effective_at=_AT,
            )
            for number in range(events)
        ),
    )


_LINE = InvoiceLine(
    provider_id="il_1QyXc2LkdIwHu7ixsT1v9XbA",
    price_provider_id="price_1QyXc2LkdIwHu7ixsT1v9XbA",
    quantity=1,
    amount=Money(2000, "usd"),
    period=None,
    proration=False,
)


class Appending:
    """Both contestants of the rows that append."""

    def __init__(self, bench: Bench, url: str, log: PostgresLog) -> None:
        self._bench = bench
        self._url = url
        self._log = log
        self._raw = [connect(url) for _ in range(64)]
        self._positions: dict[int, int] = {}

    def one_by_one(self) -> float:
        appends = [some_append() for _ in range(self._bench.times(1000))]
        return _per_second([partial(self._log.append, append) for append in appends])

    def raw_one_by_one(self) -> float:
        rows = self._raw_rows(self._bench.times(1000))
        connection = self._raw[0]
        return _per_second([partial(connection.execute, INSERT, row) for row in rows])

    def by_threads(self, threads: int) -> float:
        each = self._bench.times(8000) // threads
        shares = [[some_append() for _ in range(each)] for _ in range(threads)]

        def run(share: list[Append]) -> None:
            for append in share:
                self._log.append(append)

        return threads * each / in_threads([partial(run, share) for share in shares])

    def by_tasks(self, tasks: int) -> float:
        each = self._bench.times(8000) // tasks
        shares = [[some_append() for _ in range(each)] for _ in range(tasks)]

        async def run(share: list[Append]) -> None:
            for append in share:
                await self._log.append_async(append)

        async def run_all() -> float:
            started = time.perf_counter()
            await asyncio.gather(*map(run, shares))
            return tasks * each / (time.perf_counter() - started)

        return asyncio.run(run_all())

    def raw_by_threads(self, threads: int) -> float:
        each = self._bench.times(8000) // threads
        shares = [self._raw_rows(each) for _ in range(threads)]

        def run(connection: psycopg.Connection, share: list[RawRow]) -> None:
            for row in share:
                connection.execute(INSERT, row)

        pairs = list(zip(self._raw, shares, strict=False))
        return threads * each / in_threads([partial(run, *pair) for pair in pairs])

    def batches(self) -> float:
        appends = [some_append(1000) for _ in range(self._bench.times(20))]
        started = time.perf_counter()
        for append in appends:
            self._log.append(append)
        return 1000 * len(appends) / (time.perf_counter() - started)

    def raw_batches(self) -> float:
        appends = [some_append(1000) for _ in range(self._bench.times(20))]
        batches = [
            [list(column) for column in zip(*raw_rows([append], self._positions), strict=True)]
            for append in appends
        ]
        started = time.perf_counter()
        for batch in batches:
            self._raw[0].execute(INSERT_BATCH, batch)
        return 1000 * len(appends) / (time.perf_counter() - started)

    def _raw_rows(self, count: int) -> list[RawRow]:
        return raw_rows([some_append() for _ in range(count)], self._positions)


def _per_second(calls: list[Callable[[], object]]) -> float:
    """How often per second the middle one of these calls could be made."""
    seconds: list[float] = []
    for call in calls:
        started = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - started)
    return 1 / statistics.median(seconds)
