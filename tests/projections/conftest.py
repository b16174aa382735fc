"""What tests of projections share: a log in PostgreSQL and a hand to write to it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ledger.clock import ManualClock
from ledger.store.postgres_log import PostgresLog
from tests.projections.history import START, History, no_entry


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START)


@pytest.fixture
def log(database_url: str, clock: ManualClock) -> Iterator[PostgresLog]:
    opened = PostgresLog(database_url, clock, post=no_entry)
    yield opened
    opened.close()


@pytest.fixture
def history(log: PostgresLog, clock: ManualClock) -> History:
    return History(log, clock)
