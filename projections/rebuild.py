"""A rebuild: a projection's tables filled again from the first event, compared, and swapped in.

New tables grow beside the live ones, which stay readable and up to date; nothing is sent, charged
or mailed, since a projection has no side effects. What was live is kept until it is dropped.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Lock
from typing import Final

import psycopg
from psycopg import sql

from ledger.clock import Clock
from ledger.ids import BUCKETS
from projections import builds
from projections.base import Projection
from projections.runner import Readable, Runner
from projections.table import Build, Database

_ROUNDS: Final = 20
_ALL_HEADS: Final = "SELECT coalesce(sum(pos), 0)::bigint FROM log_head"
_POSITIONS: Final = """
    SELECT bucket, position FROM projection_checkpoint WHERE projection = %s
"""
# Of rows, not of bytes on disk: the sum is the same in whatever order they are read.
_CHECKSUM: Final = """
    SELECT bucket, count(*), sum(hashtextextended(held::text, 0)::numeric)
    FROM {} AS held WHERE bucket = ANY(%s) GROUP BY bucket
"""

Progress = Callable[[int, int], None]
"""Hears how many events have been taken in, of how many."""


@dataclass(frozen=True, slots=True)
class Parity:
    """A comparison of two builds, bucket by bucket, each at a moment of equal positions."""

    compared: frozenset[int]
    differing: frozenset[int]
    rows: int

    @property
    def holds(self) -> bool:
        """Whether every bucket was compared and none differs."""
        return not self.differing and len(self.compared) == BUCKETS


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What came of a rebuild; without `swapped`, the old tables are live and both are kept.

    There is no parity where versions differ: their rows are not meant to be equal.
    """

    build: Build
    replaced: Build
    events: int
    parity: Parity | None
    swapped: bool


def rebuild(
    log: Readable,
    dsn: str,
    projection: Projection,
    clock: Clock,
    *,
    progress: Progress | None = None,
    workers: int = 2,
) -> Rebuilt:
    """Fill new tables from zero, compare them with the live ones, and swap when they are equal."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        replaced = builds.live_build(connection, projection)
        same_version = _version(connection, replaced) == projection.version
        build = builds.begin(connection, projection)
        (expected,) = connection.execute(_ALL_HEADS).fetchone() or (0,)
        events = _fill(log, dsn, projection, clock, build, workers, _counted(progress, expected))
        builds.index(connection, projection, build)
        for table in projection.tables:
            connection.execute(sql.SQL("ANALYZE {}").format(sql.SQL(build.table(table.name))))
        events += _fill(log, dsn, projection, clock, build, 1, None)
        parity = None
        if same_version:
            parity = _settled_parity(log, dsn, projection, clock, connection, build, replaced)
        swapped = parity is None or parity.holds
        if swapped:
            builds.swap(connection, projection, build)
    return Rebuilt(build, replaced, events, parity, swapped)


def compare(
    connection: Database, projection: Projection, one: Build, other: Build, buckets: Collection[int]
) -> Parity:
    """Compare two builds in those of the buckets where they stand at the same position."""
    with connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        ours, theirs = _positions(connection, one), _positions(connection, other)
        level = {bucket for bucket in buckets if ours.get(bucket) == theirs.get(bucket)}
        rows = 0
        differing: set[int] = set()
        for table in projection.tables:
            sums = _checksums(connection, one.table(table.name), level)
            other_sums = _checksums(connection, other.table(table.name), level)
            rows += sum(count for count, _ in sums.values())
            differing |= {b for b in level if sums.get(b) != other_sums.get(b)}
    return Parity(frozenset(level), frozenset(differing), rows)


def _settled_parity(
    log: Readable,
    dsn: str,
    projection: Projection,
    clock: Clock,
    connection: Database,
    build: Build,
    live: Build,
) -> Parity:
    """A comparison of all buckets; while writers are about, each is caught when it is level."""
    compared: frozenset[int] = frozenset()
    differing: frozenset[int] = frozenset()
    rows = 0
    for _ in range(_ROUNDS):
        for each in (None, build):
            _fill(log, dsn, projection, clock, each, 1, None)
        left = frozenset(range(BUCKETS)) - compared
        parity = compare(connection, projection, build, live, left)
        compared |= parity.compared
        differing |= parity.differing
        rows += parity.rows
        if differing or len(compared) == BUCKETS:
            break
    return Parity(compared, differing, rows)


def _fill(
    log: Readable,
    dsn: str,
    projection: Projection,
    clock: Clock,
    build: Build | None,
    workers: int,
    heard: Callable[[int], None] | None,
) -> int:
    """Bring a build, or the live one, up to the log, in several parts of the buckets at once."""

    def fill(part: int) -> int:
        buckets = range(part, BUCKETS, workers)
        runner = Runner(log, dsn, [projection], clock, buckets=buckets, build=build)
        try:
            return runner.catch_up(heard)
        finally:
            runner.close()

    with ThreadPoolExecutor(workers, "rebuild") as pool:
        return sum(pool.map(fill, range(workers)))


def _counted(progress: Progress | None, expected: int) -> Callable[[int], None] | None:
    if progress is None:
        return None
    lock, done = Lock(), 0

    def heard(count: int) -> None:
        nonlocal done
        with lock:
            done += count
            progress(done, max(expected, done))

    return heard


def _version(connection: Database, build: Build) -> int | None:
    row = connection.execute(
        "SELECT version FROM projection_build WHERE projection = %s AND build = %s",
        (build.projection, build.label),
    ).fetchone()
    return None if row is None else row[0]


def _positions(connection: Database, build: Build) -> dict[int, int]:
    rows = connection.execute(_POSITIONS, (build.checkpoint,))
    return dict(rows.fetchall())


def _checksums(
    connection: Database, table: str, buckets: Collection[int]
) -> dict[int, tuple[int, object]]:
    statement = sql.SQL(_CHECKSUM).format(sql.SQL(table))
    rows = connection.execute(statement, (sorted(buckets),))
    return {bucket: (count, checksum) for bucket, count, checksum in rows}
