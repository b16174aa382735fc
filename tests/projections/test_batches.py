"""Read models are a function of the log: where batches end leaves no trace in any row."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import sql

from ledger.events.base import RecordedEvent, event_classes
from projections import builds
from projections.base import Projection, Tables
from projections.registry import PROJECTIONS
from projections.table import Build, Database
from tests.projections.invented import Inventor

LENGTH = 60


@pytest.fixture(scope="module")
def connection(module_database_url: str) -> Iterator[Database]:
    """A connection to a database with two builds of every projection."""
    with psycopg.connect(module_database_url, autocommit=True) as opened:
        opened.execute("SET TimeZone = 'UTC'")
        builds.ensure(opened, PROJECTIONS)
        for projection in PROJECTIONS:
            builds.begin(opened, projection)
        yield opened


def rows(connection: Database, projection: Projection, build: Build) -> list[list[str]]:
    return [
        [
            row[0]
            for row in connection.execute(
                sql.SQL("SELECT held::text FROM {} AS held ORDER BY 1").format(
                    sql.SQL(build.table(table.name))
                )
            )
        ]
        for table in projection.tables
    ]


def apply(
    connection: Database,
    projection: Projection,
    build: Build,
    events: Sequence[RecordedEvent],
    ends: Sequence[int],
) -> None:
    for start, end in zip([0, *ends], [*ends, len(events)], strict=True):
        heard = [each for each in events[start:end] if type(each.event) in projection.listens]
        if heard:
            projection.apply(Tables(connection, build), heard)


@pytest.mark.parametrize("projection", PROJECTIONS, ids=lambda projection: projection.name)
@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(seed=st.integers(0, 10_000), ends=st.lists(st.integers(1, LENGTH - 1), max_size=12))
def test_where_batches_end_leaves_no_trace(
    connection: Database, projection: Projection, seed: int, ends: list[int]
) -> None:
    events = Inventor(seed).history(LENGTH)
    whole = projection.first_build
    parted = Build(projection.name, f"{whole.label}_r2")
    with connection.transaction(force_rollback=True):
        apply(connection, projection, whole, events, [])
        apply(connection, projection, parted, events, sorted(ends))
        assert rows(connection, projection, parted) == rows(connection, projection, whole)


def test_invented_histories_fill_every_table(connection: Database) -> None:
    events = Inventor(7).history(400)
    with connection.transaction(force_rollback=True):
        for projection in PROJECTIONS:
            apply(connection, projection, projection.first_build, events, [])
            found = rows(connection, projection, projection.first_build)
            empty = [t.name for t, held in zip(projection.tables, found, strict=True) if not held]
            assert empty == [], projection.name


def test_projections_hear_of_events_that_exist() -> None:
    known = set(event_classes().values())
    assert all(projection.listens <= known for projection in PROJECTIONS)
    assert len({projection.name for projection in PROJECTIONS}) == len(PROJECTIONS)
