"""Builds of projections: made side by side, one of them live, swapped in one transaction."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Final, LiteralString

from psycopg import errors, sql

from ledger.errors import NotFound
from ledger.ids import BUCKETS
from projections.base import Projection
from projections.table import Build, Database

_LOCK: Final = 0x72656D656D  # "remem"
_LOCK_TIMEOUT: Final = "SET LOCAL lock_timeout = '100ms'"
_ATTEMPTS: Final = 50
_PAUSE: Final = 0.1
_CHECKPOINTS: Final = """
    INSERT INTO projection_checkpoint (bucket, projection, position)
    SELECT bucket, %s, 0 FROM generate_series(0, %s) AS bucket
"""
_LIVE: Final = "SELECT build, version FROM projection_build WHERE projection = %s AND live"
_LABELS: Final = "SELECT build FROM projection_build WHERE projection = %s"
_ADD: Final = """
    INSERT INTO projection_build (projection, build, version, live) VALUES (%s, %s, %s, false)
"""
_GO_LIVE: Final[LiteralString] = """
    UPDATE projection_build SET live = (build = %(build)s)
    WHERE projection = %(projection)s AND (live OR build = %(build)s)
"""


def ensure(connection: Database, projections: Iterable[Projection]) -> tuple[Projection, ...]:
    """Make the tables of projections that have none, whichever process comes first.

    Returns the projections whose live tables are of another version: their queries are right only
    after a rebuild.
    """
    outdated = []
    for projection in projections:
        live = _live_version(connection, projection)
        if live is None:
            with _alone(connection):
                if _live_version(connection, projection) is None:
                    make(connection, projection, projection.first_build)
                    index(connection, projection, projection.first_build)
                    swap(connection, projection, projection.first_build)
            continue
        if live != projection.version:
            outdated.append(projection)
    return tuple(outdated)


def live_build(connection: Database, projection: Projection) -> Build:
    """The build that queries read."""
    row = connection.execute(_LIVE, (projection.name,)).fetchone()
    if row is None:
        raise NotFound("projection", projection.name)
    return Build(projection.name, row[0])


def begin(connection: Database, projection: Projection) -> Build:
    """Empty tables of the present version beside the live ones, for a rebuild to fill."""
    with _alone(connection):
        taken = {row[0] for row in connection.execute(_LABELS, (projection.name,))}
        build = projection.first_build
        number = 1
        while build.label in taken:
            number += 1
            build = Build(projection.name, f"{projection.first_build.label}_r{number}")
        make(connection, projection, build)
    return build


def make(connection: Database, projection: Projection, build: Build) -> None:
    """The tables of a build without their further indexes, and its checkpoints at zero."""
    for table in projection.tables:
        connection.execute(table.create(build))
    connection.execute(_ADD, (projection.name, build.label, projection.version))
    connection.execute(_CHECKPOINTS, (build.checkpoint, BUCKETS - 1))


def index(connection: Database, projection: Projection, build: Build) -> None:
    """The further indexes of a build; cheapest when its tables are full."""
    for table in projection.tables:
        for statement in table.create_indexes(build):
            connection.execute(statement)


def swap(connection: Database, projection: Projection, build: Build) -> None:
    """Make a build the live one: from this commit on, every query reads its tables.

    Waiting for a long query would make all others queue behind it: the swap gives way and tries
    again. Raises LockNotAvailable when there is never a moment for it.
    """
    for remaining in reversed(range(_ATTEMPTS)):
        try:
            _swap(connection, projection, build)
        except (errors.LockNotAvailable, errors.DeadlockDetected):
            if remaining == 0:
                raise
            time.sleep(_PAUSE)
        else:
            return


def _swap(connection: Database, projection: Projection, build: Build) -> None:
    with connection.transaction():
        connection.execute(_LOCK_TIMEOUT)
        for table in projection.tables:
            view, source = sql.SQL(table.view), sql.SQL(build.table(table.name))
            # A new version may have other columns, which a view cannot be altered to.
            connection.execute(sql.SQL("DROP VIEW IF EXISTS {}").format(view))
            statement = "CREATE VIEW {} AS SELECT * FROM {}"
            connection.execute(sql.SQL(statement).format(view, source))
        connection.execute(_GO_LIVE, {"projection": projection.name, "build": build.label})


def drop(connection: Database, projection: Projection, build: Build) -> None:
    """Remove a build that is not live, tables, checkpoints and all."""
    if live_build(connection, projection) == build:
        raise ValueError(f"{build.checkpoint} is live")
    with connection.transaction():
        for place in ("projection_checkpoint", "projection_failure"):
            statement = sql.SQL("DELETE FROM {} WHERE projection = %s").format(sql.SQL(place))
            connection.execute(statement, (build.checkpoint,))
        connection.execute(
            "DELETE FROM projection_build WHERE projection = %s AND build = %s",
            (projection.name, build.label),
        )
        for table in projection.tables:
            name = sql.SQL(build.table(table.name))
            connection.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(name))


def kept(connection: Database, projection: Projection) -> list[Build]:
    """The builds of a projection that are not live: before a swap, or kept after one."""
    rows = connection.execute(
        "SELECT build FROM projection_build WHERE projection = %s AND NOT live ORDER BY build",
        (projection.name,),
    )
    return [Build(projection.name, row[0]) for row in rows]


def _live_version(connection: Database, projection: Projection) -> int | None:
    row = connection.execute(_LIVE, (projection.name,)).fetchone()
    return None if row is None else row[1]


@contextmanager
def _alone(connection: Database) -> Iterator[None]:
    """One transaction in which no other process makes builds."""
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
        yield
