"""The log in every layout it must run on, and its twin in memory."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ledger.clock import ManualClock
from ledger.journal.posting_rules import entry_for
from ledger.store.event_log import EventLog
from ledger.store.memory_log import MemoryLog
from ledger.store.postgres_log import PostgresLog
from tests.conftest import Database, NewDatabase
from tests.ledger.store.samples import START
from tests.ledger.store.variants import partition


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START)


@pytest.fixture(scope="module")
def partitioned_database(new_database: NewDatabase) -> Iterator[Database]:
    """A database shared by the tests of a module, its log over hash partitions."""
    with new_database() as made:
        partition(made.owner_url)
        yield made


@pytest.fixture(params=["plain", "partitioned"])
def postgres_log(
    request: pytest.FixtureRequest,
    module_database: Database,
    partitioned_database: Database,
    clock: ManualClock,
) -> Iterator[PostgresLog]:
    """The log in PostgreSQL, in each layout."""
    database = module_database if request.param == "plain" else partitioned_database
    opened = PostgresLog(database.url, clock, post=entry_for)
    yield opened
    opened.close()


@pytest.fixture(params=["plain", "partitioned", "memory"])
def log(
    request: pytest.FixtureRequest,
    module_database: Database,
    partitioned_database: Database,
    clock: ManualClock,
) -> Iterator[EventLog]:
    """The log as a caller sees it: in PostgreSQL, in each layout, and in memory."""
    if request.param == "memory":
        yield MemoryLog(clock, post=entry_for)
        return
    database = module_database if request.param == "plain" else partitioned_database
    opened = PostgresLog(database.url, clock, post=entry_for)
    yield opened
    opened.close()
