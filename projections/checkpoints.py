"""How far each projection has read each bucket, what stopped it, and how a reader waits for it."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from ledger.errors import NotReady
from projections.base import Projection
from projections.columns import pack
from projections.table import Build, Database

REACHED: Final = """
    SELECT checkpoint.position FROM projection_build AS build
    JOIN projection_checkpoint AS checkpoint
        ON checkpoint.projection = build.projection || '_' || build.build
    WHERE build.projection = %s AND build.live AND checkpoint.bucket = %s
"""
"""The position a projection's live build has reached: parameters are its name and a bucket."""

_LAGGING: Final = """
    SELECT head.bucket, build.projection, build.build, checkpoint.position, head.pos,
        failure.at IS NOT NULL
    FROM unnest(%(names)s::text[], %(versions)s::integer[], %(builds)s::text[])
        AS wanted (projection, version, build)
    JOIN projection_build AS build ON build.projection = wanted.projection
        AND (build.build = wanted.build
            OR wanted.build IS NULL AND build.live AND build.version = wanted.version)
    JOIN projection_checkpoint AS checkpoint
        ON checkpoint.projection = build.projection || '_' || build.build
    JOIN log_head AS head ON head.bucket = checkpoint.bucket AND head.pos > checkpoint.position
    LEFT JOIN projection_failure AS failure
        ON failure.bucket = checkpoint.bucket AND failure.projection = checkpoint.projection
    WHERE (%(buckets)s::smallint[] IS NULL OR head.bucket = ANY(%(buckets)s::smallint[]))
        AND (failure.at IS NULL OR failure.at <= %(retry_before)s)
"""
_ADVANCE: Final = """
    UPDATE projection_checkpoint AS checkpoint SET position = moved.next
    FROM unnest(%b::smallint[], %b::text[], %b::bigint[], %b::bigint[])
        AS moved (bucket, projection, previous, next)
    WHERE checkpoint.bucket = moved.bucket AND checkpoint.projection = moved.projection
        AND checkpoint.position = moved.previous
"""
_FAIL: Final = """
    INSERT INTO projection_failure (bucket, projection, position, error, at)
    VALUES (%s, %s, %s, %s, %s)
    ON CONFLICT (bucket, projection) DO UPDATE
    SET position = excluded.position, error = excluded.error, at = excluded.at
"""
_RECOVER: Final = """
    DELETE FROM projection_failure AS failure USING projection_checkpoint AS checkpoint
    WHERE failure.bucket = checkpoint.bucket AND failure.projection = checkpoint.projection
        AND failure.position <= checkpoint.position AND failure.projection = ANY(%s)
"""
_FAILURES: Final = """
    SELECT bucket, projection, position, error, at FROM projection_failure
    ORDER BY projection, bucket
"""
_LAG: Final = """
    SELECT build.projection, coalesce(sum(head.pos - checkpoint.position), 0)::bigint
    FROM projection_build AS build
    LEFT JOIN projection_checkpoint AS checkpoint
        ON checkpoint.projection = build.projection || '_' || build.build
    LEFT JOIN log_head AS head ON head.bucket = checkpoint.bucket
    WHERE build.live GROUP BY build.projection
"""

_FIRST_PAUSE: Final = 0.001
_LONGEST_PAUSE: Final = 0.05


@dataclass(frozen=True, slots=True)
class Lag:
    """One bucket in which a build is behind the log."""

    bucket: int
    build: Build
    position: int
    head: int
    failed: bool


@dataclass(frozen=True, slots=True)
class Move:
    """One build's step through one bucket."""

    bucket: int
    build: Build
    previous: int
    next: int


@dataclass(frozen=True, slots=True)
class Failure:
    """An event that a build could not take in; its bucket waits there until it can."""

    bucket: int
    projection: str
    position: int
    error: str
    at: datetime


def lagging(
    connection: Database,
    followed: Sequence[tuple[Projection, Build | None]],
    *,
    buckets: Collection[int] | None,
    retry_before: datetime,
) -> list[Lag]:
    """Where builds are behind the log; without a build, the projection's live one is meant.

    A stopped bucket counts again once its failure is older than `retry_before`.
    """
    parameters = {
        "names": [projection.name for projection, _ in followed],
        "versions": [projection.version for projection, _ in followed],
        "builds": [build.label if build else None for _, build in followed],
        "buckets": None if buckets is None else sorted(buckets),
        "retry_before": retry_before,
    }
    with connection.cursor(binary=True) as cursor:
        cursor.execute(_LAGGING, parameters)
        return [
            Lag(bucket, Build(name, label), position, head, failed)
            for bucket, name, label, position, head, failed in cursor
        ]


def advance(connection: Database, moves: Sequence[Move]) -> bool:
    """Move checkpoints on, if each still stands where it was read; False when one does not."""
    ordered = sorted(moves, key=lambda move: (move.bucket, move.build.checkpoint))
    cursor = connection.execute(
        _ADVANCE,
        (
            pack("smallint", [move.bucket for move in ordered]),
            pack("text", [move.build.checkpoint for move in ordered]),
            pack("bigint", [move.previous for move in ordered]),
            pack("bigint", [move.next for move in ordered]),
        ),
    )
    return cursor.rowcount == len(ordered)


def fail(connection: Database, failure: Failure) -> None:
    """Record what stopped a build in a bucket."""
    connection.execute(
        _FAIL, (failure.bucket, failure.projection, failure.position, failure.error, failure.at)
    )


def recover(connection: Database, builds: Collection[Build]) -> None:
    """Forget failures that these builds have got past."""
    connection.execute(_RECOVER, ([build.checkpoint for build in builds],))


def failures(connection: Database) -> list[Failure]:
    """Every bucket that stands still, and why."""
    return [Failure(*row) for row in connection.execute(_FAILURES)]


def lag(connection: Database) -> Mapping[str, int]:
    """How many events each live projection is behind the log."""
    return dict(connection.execute(_LAG).fetchall())


def reached(connection: Database, projection: str, bucket: int) -> int:
    """The position a projection has reached in a bucket."""
    row = connection.execute(REACHED, (projection, bucket)).fetchone()
    return 0 if row is None else row[0]


def wait_for(
    connection: Database, projection: str, bucket: int, position: int, timeout: float
) -> None:
    """Return once a projection has reached a position; NotReady after `timeout` seconds."""
    deadline = time.monotonic() + timeout
    pause = _FIRST_PAUSE
    while (now_at := reached(connection, projection, bucket)) < position:
        left = deadline - time.monotonic()
        if left <= 0:
            raise NotReady(position, now_at)
        time.sleep(min(pause, left))
        pause = min(pause * 2, _LONGEST_PAUSE)
