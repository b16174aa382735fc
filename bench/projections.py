"""Rows of the projections: events into read models, against the same rows written raw."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final
from uuid import uuid4

import psycopg

from bench.bench import Bench
from bench.library_projection import LibraryProjection
from bench.rows import Row
from ledger.clock import SystemClock
from ledger.events.base import NewEvent
from ledger.events.payment import PaymentAllocated, PaymentSucceeded
from ledger.ids import bucket_in, derived_id, owner_id
from ledger.money import Money
from ledger.store.event_log import Append
from ledger.store.postgres_log import PostgresLog
from projections import builds
from projections.payments import PAYMENT, PAYMENTS
from projections.runner import BATCH, Runner
from projections.table import Database

_AT: Final = datetime(2026, 11, 1, 12, tzinfo=UTC)
_PROJECT: Final = owner_id("project", "bench")
_OWNERS: Final = 1_000
_EVENTS_PER_SUM: Final = 10
_LIBRARY_EVENTS: Final = 3_000

_UPSERT: Final = """
    INSERT INTO read_model.payment_v1 SELECT * FROM unnest(
        %b::smallint[], %b::uuid[], %b::uuid[], %b::uuid[], %b::text[], %b::text[], %b::text[],
        %b::bigint[], %b::bigint[], %b::integer[], %b::text[], %b::timestamptz[],
        %b::timestamptz[], %b::bigint[])
    ON CONFLICT (bucket, id) DO UPDATE SET
        project = excluded.project, customer = excluded.customer,
        provider_id = excluded.provider_id, status = excluded.status,
        currency = excluded.currency, amount = excluded.amount, allocated = excluded.allocated,
        failures = excluded.failures, failure_reason = excluded.failure_reason,
        succeeded_at = excluded.succeeded_at, failed_at = excluded.failed_at,
        position = excluded.position
"""


def rows(bench: Bench) -> Iterator[Row]:
    """The projections' part of the table."""
    single, sums = Projecting(bench, 1), Projecting(bench, _EVENTS_PER_SUM)
    yield Row(
        name="live projection, exactly once",
        unit="events/s",
        ours=single.ours,
        baseline=single.raw,
        reach=0.5,
        aim=0.65,
    )
    for projecting, name, reach in (
        (single, "the same to the library's ProjectionRunner", None),
        (sums, "ten events a row, to the library's ProjectionRunner", 80),
    ):
        events = bench.times(_LIBRARY_EVENTS)
        library = LibraryProjection(bench, events, projecting.events_per_payment)
        yield Row(
            name=name, unit="events/s", ours=projecting.ours, baseline=library.run, reach=reach
        )
        library.close()
    for projecting in (single, sums):
        projecting.close()


class Projecting:
    """Both contestants: payments become rows of `payment`, so many events each."""

    def __init__(self, bench: Bench, events_per_payment: int) -> None:
        self.events_per_payment = events_per_payment
        self._url, _ = bench.database()
        self._events = bench.times(100_000)
        self._log = PostgresLog(self._url, SystemClock(), post=lambda _: None)
        self._connection: Database = psycopg.connect(self._url, autocommit=True)
        self._connection.execute("SET synchronous_commit = off")
        builds.ensure(self._connection, [PAYMENTS])
        for number in range(_OWNERS):
            self._write(number, self._events // _OWNERS // events_per_payment)
        self._runner = Runner(self._log, self._url, [PAYMENTS], SystemClock())
        self.ours()
        self._columns = self._read()

    def close(self) -> None:
        self._runner.close()
        self._connection.close()
        self._log.close()

    def ours(self) -> float:
        """A runner from the first event to the last."""
        self._empty()
        began = time.perf_counter()
        done = self._runner.catch_up()
        seconds = time.perf_counter() - began
        assert done == self._events
        return done / seconds

    def raw(self) -> float:
        """The same rows, ready as columns, upserted 5,000 per transaction."""
        self._empty()
        began = time.perf_counter()
        for columns in self._columns:
            self._connection.execute(_UPSERT, columns, prepare=True)
        return self._events / (time.perf_counter() - began)

    def _write(self, number: int, payments: int) -> None:
        owner = owner_id("customer", str(number))
        events: list[NewEvent] = []
        for payment in range(payments):
            stream = derived_id(bucket_in(owner), "payment", str(number), str(payment))
            received = PaymentSucceeded(
                customer=owner,
                provider_id=f"pi_{number:012}{payment:012}",
                amount=Money(2400, "usd"),
            )
            allocated = [
                PaymentAllocated(allocation=str(n), invoice=owner, amount=Money(100, "usd"))
                for n in range(self.events_per_payment - 1)
            ]
            events += [
                NewEvent(stream=stream, version=version, event=event, effective_at=_AT)
                for version, event in enumerate((received, *allocated), start=1)
            ]
        self._log.append(
            Append(
                project=_PROJECT,
                owner=owner,
                actor="bench",
                correlation=uuid4(),
                causation=None,
                events=tuple(events),
            )
        )

    def _read(self) -> list[list[list[object]]]:
        with self._connection.cursor(binary=True) as cursor:
            cursor.execute("SELECT * FROM read_model.payment_v1 ORDER BY bucket, position")
            found = cursor.fetchall()
        assert len(found) == self._events // self.events_per_payment
        return [
            [list(column) for column in zip(*found[start : start + BATCH], strict=True)]
            for start in range(0, len(found), BATCH)
        ]

    def _empty(self) -> None:
        table = builds.live_build(self._connection, PAYMENTS).table(PAYMENT.name)
        self._connection.execute("TRUNCATE " + table)
        self._connection.execute("UPDATE projection_checkpoint SET position = 0")
        self._connection.execute("VACUUM ANALYZE projection_checkpoint")
