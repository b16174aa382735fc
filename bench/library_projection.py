"""The eventsourcing library's own ProjectionRunner, doing what one of our projections does."""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import unquote, urlsplit
from uuid import UUID, uuid4

import psycopg
from eventsourcing.application import Application
from eventsourcing.domain import Aggregate
from eventsourcing.persistence import Tracking
from eventsourcing.postgres import PostgresTrackingRecorder
from eventsourcing.projection import Projection, ProjectionRunner

from bench.bench import Bench

_TABLE = """
    CREATE TABLE IF NOT EXISTS received (
        id uuid PRIMARY KEY, customer uuid NOT NULL, provider_id text NOT NULL,
        amount bigint NOT NULL, currency text NOT NULL, allocated bigint NOT NULL,
        position bigint NOT NULL)
"""
_UPSERT = """
    INSERT INTO received VALUES (%s, %s, %s, %s, %s, 0, %s)
    ON CONFLICT (id) DO UPDATE SET customer = excluded.customer,
        provider_id = excluded.provider_id, amount = excluded.amount,
        currency = excluded.currency, position = excluded.position
"""
_ALLOCATE = "UPDATE received SET allocated = allocated + %s, position = %s WHERE id = %s"
_PATIENCE = 300.0


class Payment(Aggregate):
    """A payment as the library keeps one."""

    class Received(Aggregate.Created):
        """Its first and only event."""

        customer: UUID
        provider_id: str
        amount: int
        currency: str

    class Allocated(Aggregate.Event):
        """A part of it went to an invoice."""

        amount: int

    def __init__(self, customer: UUID, provider_id: str, amount: int, currency: str) -> None:
        self.customer = customer
        self.provider_id = provider_id
        self.amount = amount
        self.currency = currency
        self.allocated = 0

    def allocate(self, amount: int) -> None:
        self.trigger_event(self.Allocated, amount=amount)


class Payments(Application[UUID]):
    """The library's log of payments."""


class ReceivedView(PostgresTrackingRecorder):
    """A table with a row per payment, written with the position it comes from."""

    def write(self, statement: str, values: tuple[object, ...], tracking: Tracking) -> None:
        with self.datastore.transaction(commit=True) as cursor:
            self._insert_tracking(cursor, tracking)
            cursor.execute(statement, values, prepare=True)


class ReceivedProjection(Projection[ReceivedView]):
    """One event, one transaction, one row."""

    def process_event(self, domain_event: Any, tracking: Tracking) -> None:
        stream, position = domain_event.originator_id, tracking.notification_id
        if isinstance(domain_event, Payment.Allocated):
            self.view.write(_ALLOCATE, (domain_event.amount, position, stream), tracking)
            return
        row = (
            stream,
            domain_event.customer,
            domain_event.provider_id,
            domain_event.amount,
            domain_event.currency,
            position,
        )
        self.view.write(_UPSERT, row, tracking)


class LibraryProjection:
    """The library's runner over a log of its own with as many events."""

    def __init__(self, bench: Bench, events: int, events_per_payment: int) -> None:
        _, url = bench.database()
        place = urlsplit(url)
        self._environment = {
            "PERSISTENCE_MODULE": "eventsourcing.postgres",
            "POSTGRES_DBNAME": place.path.removeprefix("/"),
            "POSTGRES_HOST": str(place.hostname),
            "POSTGRES_PORT": str(place.port),
            "POSTGRES_USER": unquote(place.username or ""),
            "POSTGRES_PASSWORD": unquote(place.password or ""),
        }
        self._connection = psycopg.connect(url, autocommit=True)
        self._connection.execute(_TABLE)
        self._events = events
        application = Payments(self._environment)
        customer = uuid4()
        for number in range(events // events_per_payment):
            payment = Payment(customer, f"pi_{number:024}", 2400, "usd")
            for _ in range(events_per_payment - 1):
                payment.allocate(100)
            application.save(payment)
        application.close()

    def run(self) -> float:
        """From the first event to the last."""
        self._connection.execute("DROP TABLE IF EXISTS receivedprojection_tracking")
        self._connection.execute("TRUNCATE received")
        began = time.perf_counter()
        with ProjectionRunner[Payments, ReceivedView](
            application_class=Payments,
            projection_class=ReceivedProjection,
            view_class=ReceivedView,
            env=self._environment,
        ) as runner:
            runner.wait(self._events, timeout=_PATIENCE)
            seconds = time.perf_counter() - began
        return self._events / seconds

    def close(self) -> None:
        self._connection.close()
