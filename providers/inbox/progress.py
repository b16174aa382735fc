"""How far a message has come: taken by a worker, folded, parked, ignored or failed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from psycopg import Connection

from ledger.errors import NotFound
from ledger.ids import bucket_in
from providers.inbox.message import COLUMNS, Kept, Status, kept

SWEEPER_LEASE: Final = timedelta(seconds=30)

# What is folded stays folded: a slower worker with the same message has nothing to add.
_MARK: Final = """
    UPDATE webhook_inbox
    SET status = %(status)b, reason = %(reason)b, dependency = %(dependency)b,
        next_attempt_at = %(next)b, updated_at = %(now)b
    WHERE bucket = %(bucket)b AND id = %(id)b AND status <> 'folded'"""

_MARK_FOLDED: Final = """
    UPDATE webhook_inbox AS row
    SET status = 'folded', reason = NULL, dependency = NULL, next_attempt_at = NULL,
        updated_at = %b,
        folded_bucket = coalesce(folded.log_bucket, row.folded_bucket),
        folded_position = coalesce(folded.log_position, row.folded_position)
    FROM unnest(%b::smallint[], %b::uuid[], %b::smallint[], %b::bigint[])
        AS folded (bucket, id, log_bucket, log_position)
    WHERE row.bucket = folded.bucket AND row.id = folded.id AND row.status <> 'folded'"""

_DUE: Final = f"""
    WITH due AS (
        SELECT bucket, id FROM webhook_inbox
        WHERE next_attempt_at <= %(now)b
            AND (%(buckets)b::smallint[] IS NULL OR bucket = ANY (%(buckets)b::smallint[]))
        ORDER BY next_attempt_at LIMIT %(limit)b
        FOR UPDATE SKIP LOCKED
    )
    UPDATE webhook_inbox AS row
    SET next_attempt_at = %(until)b, attempts = attempts + 1, updated_at = %(now)b
    FROM due WHERE row.bucket = due.bucket AND row.id = due.id
    RETURNING {COLUMNS}, row.payload"""

_RELEASE: Final = """
    UPDATE webhook_inbox SET next_attempt_at = %b, updated_at = %b
    WHERE status = 'parked' AND dependency = ANY (%b::text[])"""

_REQUEUE: Final = """
    UPDATE webhook_inbox
    SET status = 'received', reason = NULL, dependency = NULL, next_attempt_at = %b, updated_at = %b
    WHERE bucket = %b AND id = %b
    RETURNING true"""


@dataclass(frozen=True, slots=True)
class Folded:
    """A message whose facts are in the log, the last at this position of this bucket, if any."""

    id: UUID
    bucket: int | None = None
    position: int | None = None


def mark_folded(
    connection: Connection,
    identifier: UUID,
    now: datetime,
    *,
    bucket: int | None = None,
    position: int | None = None,
) -> None:
    """Its facts are in the log, the last of them at this position of this bucket of the log."""
    mark_all_folded(connection, [Folded(identifier, bucket, position)], now)


def mark_all_folded(connection: Connection, folded: Sequence[Folded], now: datetime) -> None:
    """The facts of these messages are in the log."""
    # Rows in one order everywhere: two workers with the same messages cannot wait for each other.
    rows = sorted({one.id: one for one in folded}.values(), key=lambda one: one.id)
    connection.execute(
        _MARK_FOLDED,
        (
            now,
            [bucket_in(one.id) for one in rows],
            [one.id for one in rows],
            [one.bucket for one in rows],
            [one.position for one in rows],
        ),
        prepare=True,
    )


def mark_ignored(connection: Connection, identifier: UUID, now: datetime, reason: str) -> None:
    """It gives no fact."""
    _mark(connection, identifier, now, Status.IGNORED, reason)


def mark_parked(
    connection: Connection,
    identifier: UUID,
    now: datetime,
    *,
    dependency: str,
    reason: str,
    retry_at: datetime,
) -> None:
    """It waits for `dependency`. `retry_at` is for a parent that came in while we parked."""
    _mark(connection, identifier, now, Status.PARKED, reason, dependency, retry_at)


def mark_failed(
    connection: Connection,
    identifier: UUID,
    now: datetime,
    *,
    reason: str,
    retry_at: datetime | None,
) -> None:
    """It could not be taken in; without `retry_at` only a replay tries again."""
    _mark(connection, identifier, now, Status.FAILED, reason, None, retry_at)


def _mark(
    connection: Connection,
    identifier: UUID,
    now: datetime,
    status: Status,
    reason: str | None = None,
    dependency: str | None = None,
    retry_at: datetime | None = None,
) -> None:
    connection.execute(
        _MARK,
        {
            "bucket": bucket_in(identifier),
            "id": identifier,
            "now": now,
            "status": status.value,
            "reason": reason,
            "dependency": dependency,
            "next": retry_at,
        },
        prepare=True,
    )


def due(
    connection: Connection,
    now: datetime,
    limit: int,
    buckets: Sequence[int] | None = None,
    lease: timedelta = SWEEPER_LEASE,
) -> list[Kept]:
    """Take up to `limit` messages whose time has come, by the provider's time.

    Nobody else gets them until they are marked or the lease is over.
    """
    rows = connection.execute(
        _DUE,
        {
            "now": now,
            "until": now + lease,
            "limit": limit,
            "buckets": None if buckets is None else list(buckets),
        },
        prepare=True,
    ).fetchall()
    taken = [kept(row) for row in rows]
    return sorted(taken, key=lambda one: (one.row.provider_created_at, one.row.received_at))


def release(connection: Connection, dependencies: Sequence[str], now: datetime) -> int:
    """What these have come for is due at once; returns how many messages that are."""
    return connection.execute(_RELEASE, (now, now, list(dependencies)), prepare=True).rowcount


def requeue(connection: Connection, identifier: UUID, now: datetime) -> None:
    """Have a message taken in once more, whatever became of it; raises NotFound."""
    parts = (now, now, bucket_in(identifier), identifier)
    if connection.execute(_REQUEUE, parts, prepare=True).fetchone() is None:
        raise NotFound("webhook", str(identifier))
