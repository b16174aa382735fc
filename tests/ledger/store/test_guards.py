"""What the database itself refuses, and what it bears."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg import errors

from ledger.clock import SystemClock
from ledger.events.base import NewEvent
from ledger.ids import bucket_in
from ledger.journal.entry import Entry, Unbalanced
from ledger.journal.posting_rules import entry_for
from ledger.store.postgres_log import PostgresLog
from tests.conftest import Database
from tests.ledger.store.samples import (
    append_of,
    identified,
    invoiced,
    new_events,
    some_owner,
    stream_of,
)

HISTORY = ("log_event", "journal_entry", "idempotency")


@pytest.mark.parametrize("table", HISTORY)
@pytest.mark.parametrize(
    "change", ["UPDATE {} SET bucket = 1", "DELETE FROM {}", "TRUNCATE {}", "DROP TABLE {}"]
)
def test_the_product_cannot_change_history(database_url: str, table: str, change: str) -> None:
    with (
        psycopg.connect(database_url) as connection,
        pytest.raises(errors.InsufficientPrivilege),
    ):
        connection.execute(change.format(table).encode())


def test_an_entry_stands_beside_its_event_and_balances(
    postgres_log: PostgresLog, module_database: Database, partitioned_database: Database
) -> None:
    owner = some_owner()
    invoice = stream_of(owner)
    postgres_log.append(
        append_of(
            owner, [*new_events(owner, identified()), *new_events(invoice, invoiced(owner, 1200))]
        )
    )
    event = postgres_log.stream(invoice)[0]

    rows = [
        row
        for database in (module_database, partitioned_database)
        for row in _rows(
            database.url,
            "SELECT pos, version, kind, recorded_at, postings FROM journal_entry WHERE stream = %s",
            invoice,
        )
    ]

    assert rows == [
        (
            event.position,
            1,
            "invoice.issued",
            event.recorded_at,
            [
                {"account": "receivables", "amount": 1200, "currency": "usd"},
                {"account": "billed_revenue", "amount": -1000, "currency": "usd"},
                {"account": "tax_payable", "amount": -200, "currency": "usd"},
            ],
        )
    ]


@pytest.mark.parametrize(
    "postings",
    [
        "[]",
        '[{"account": "receivables", "amount": 1, "currency": "usd"}]',
        '[{"amount": 1, "currency": "usd"}, {"amount": -1, "currency": "eur"}]',
        '[{"amount": 1}, {"amount": -1}]',
        '[{"currency": "usd"}]',
    ],
)
def test_an_unbalanced_entry_is_refused_by_the_database(database_url: str, postings: str) -> None:
    with psycopg.connect(database_url) as connection, pytest.raises(errors.CheckViolation):
        connection.execute(
            "INSERT INTO journal_entry VALUES (1, 1, 1, gen_random_uuid(), gen_random_uuid(),"
            " gen_random_uuid(), now(), now(), 'kind', %s)",
            (postings,),
        )


def test_state_can_be_read_in_plain_sql(database_url: str) -> None:
    log = PostgresLog(database_url, SystemClock(), post=entry_for)
    owner = some_owner()
    log.append(append_of(owner, new_events(owner, identified("Zoë"))))
    log.close()

    found = _rows(
        database_url, "SELECT state ->> 'external_id' FROM log_event WHERE owner = %s", owner
    )

    assert found == [("Zoë",)]


@pytest.mark.parametrize("way", ["tcp", "socket"])
def test_an_append_of_several_megabytes_does_not_hang(database: Database, way: str) -> None:
    dsn = database.url if way == "tcp" else _over_socket(database)
    log = PostgresLog(dsn, SystemClock(), post=entry_for)
    owner = some_owner()
    events = [identified(f"{number}-" + "x" * 1000) for number in range(8_000)]

    receipt = log.append(append_of(owner, new_events(owner, *events)))

    assert log.heads([bucket_in(owner)]) == {bucket_in(owner): receipt.position}
    assert [event.event for event in log.stream(owner)] == events
    log.close()


def test_hints_name_the_buckets_of_each_commit(database_url: str) -> None:
    heard: list[int] = []
    log = PostgresLog(database_url, SystemClock(), post=entry_for, on_commit=heard.extend)
    for bucket in (200, 7):
        owner = some_owner(bucket)
        log.append(append_of(owner, new_events(owner, identified())))
    log.close()

    assert heard == [200, 7]


def test_an_event_that_posts_wrongly_is_refused_alone(database_url: str) -> None:
    """The posting rule is code; the database is the second pair of eyes."""
    log = PostgresLog(database_url, SystemClock(), post=_forged)
    owner = some_owner()

    with pytest.raises(Unbalanced, match="balanced"):
        log.append(append_of(owner, new_events(owner, invoiced(owner))))

    assert log.stream(owner) == []
    log.close()


def _forged(new: NewEvent) -> Entry | None:
    entry = entry_for(new)
    if entry is not None:
        object.__setattr__(entry, "postings", entry.postings[:1])
    return entry


def _rows(url: str, question: str, *values: object) -> list[tuple[object, ...]]:
    with psycopg.connect(url) as connection:
        return connection.execute(question.encode(), values).fetchall()


def _over_socket(database: Database) -> str:
    """The same database by its Unix socket."""
    parts = urlsplit(database.url)
    with psycopg.connect(database.owner_url) as connection:
        (folder,) = connection.execute("SHOW unix_socket_directories").fetchone() or ("",)
    first = Path(str(folder).split(",")[0])
    return (
        f"host={first} port={parts.port} user={parts.username} dbname={parts.path.lstrip('/')}"
        f" password={parts.password}"
    )
