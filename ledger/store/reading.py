"""The log's questions in SQL, and their rows as recorded events."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final, LiteralString
from uuid import UUID

from psycopg import Connection
from psycopg.rows import TupleRow

from ledger.events.base import NewEvent, RecordedEvent
from ledger.ids import bucket_in
from ledger.store.codec import decode_event
from ledger.store.event_log import Append, Receipt

COLUMNS: Final = (
    "bucket, pos, stream, version, topic, schema_version, state, project, owner, recorded_at,"
    " effective_at, actor, correlation, causation"
)
_STREAM: Final = f"""
    SELECT {COLUMNS} FROM log_event
    WHERE bucket = %b AND stream = %b AND version > %b AND version <= %b AND recorded_at <= %b
    ORDER BY version
"""
_READ: Final = f"""
    SELECT {COLUMNS} FROM unnest(%b::smallint[], %b::bigint[]) AS reached (b, p)
        CROSS JOIN LATERAL (SELECT * FROM log_event AS e WHERE e.bucket = b AND e.pos > p
                            ORDER BY e.pos LIMIT %b) AS event
    LIMIT %b
"""
_ALL_HEADS: Final = "SELECT bucket, pos FROM log_head WHERE pos > 0"
_HEADS: Final = "SELECT bucket, pos FROM log_head WHERE bucket = ANY(%b::smallint[])"
_RECEIPT: Final = """
    SELECT bucket, position, ids, input_hash FROM idempotency WHERE project = %b AND key = %b
"""

_VERSION: Final = "SELECT max(version) FROM log_event WHERE bucket = %b AND stream = %b"

_LAST_VERSION: Final = 2**31 - 1
_FOR_EVER: Final = datetime(9999, 12, 31, tzinfo=UTC)


def recorded(row: TupleRow) -> RecordedEvent:
    """A row of the log as the event it holds; raises Corrupt."""
    (
        bucket,
        position,
        stream,
        version,
        topic,
        schema_version,
        state,
        project,
        owner,
        recorded_at,
        effective_at,
        actor,
        correlation,
        causation,
    ) = row
    return RecordedEvent(
        bucket=bucket,
        position=position,
        stream=stream,
        version=version,
        event=decode_event(topic, schema_version, state),
        project=project,
        owner=owner,
        recorded_at=recorded_at,
        effective_at=effective_at,
        actor=actor,
        correlation=correlation,
        causation=causation,
    )


def select_stream(
    connection: Connection[TupleRow],
    stream: UUID,
    after: int,
    until: int | None,
    known_at: datetime | None,
) -> list[TupleRow]:
    """The rows of one stream, by version."""
    return _rows(
        connection,
        _STREAM,
        (
            bucket_in(stream),
            stream,
            after,
            _LAST_VERSION if until is None else until,
            known_at or _FOR_EVER,
        ),
    )


def select_version(connection: Connection[TupleRow], stream: UUID) -> int:
    """The version a stream stands at; one that was never written stands at 0."""
    rows = _rows(connection, _VERSION, (bucket_in(stream), stream))
    return rows[0][0] or 0


def position_of_same(connection: Connection[TupleRow], append: Append) -> int | None:
    """Where an append's last event stands, if all of them are in the log word for word."""
    position = None
    streams: dict[UUID, list[NewEvent]] = {}
    for new in append.events:
        streams.setdefault(new.stream, []).append(new)
    for stream, written in streams.items():
        first, last = written[0].version, written[-1].version
        rows = select_stream(connection, stream, first - 1, last, None)
        if len(rows) != len(written):
            return None
        for row, new in zip(rows, written, strict=True):
            kept = recorded(row)
            same = (kept.event, kept.correlation, kept.actor, kept.causation, kept.effective_at)
            if same != (
                new.event,
                append.correlation,
                append.actor,
                append.causation,
                new.effective_at,
            ):
                return None
            position = max(position or 0, kept.position)
    return position


def select_after(
    connection: Connection[TupleRow], after: Mapping[int, int], limit: int
) -> list[TupleRow]:
    """At most `limit` rows beyond these positions, by bucket and position."""
    buckets = sorted(after)
    positions = [after[bucket] for bucket in buckets]
    return _rows(connection, _READ, (buckets, positions, limit, limit))


def select_heads(connection: Connection[TupleRow], buckets: Sequence[int] | None) -> dict[int, int]:
    """Where buckets end; one that was never written ends at 0."""
    with connection.cursor(binary=True) as cursor:
        if buckets is None:
            return dict(cursor.execute(_ALL_HEADS, prepare=True).fetchall())
        found: dict[int, int] = dict(
            cursor.execute(_HEADS, (list(buckets),), prepare=True).fetchall()
        )
        return {bucket: found.get(bucket, 0) for bucket in buckets}


def select_receipt(
    connection: Connection[TupleRow], project: UUID, key: str
) -> tuple[Receipt, bytes] | None:
    """The receipt under a key, in whatever bucket."""
    with connection.cursor(binary=True) as cursor:
        row = cursor.execute(_RECEIPT, (project, key), prepare=True).fetchone()
    if row is None:
        return None
    bucket, position, ids, input_hash = row
    return Receipt(bucket=bucket, position=position, ids=ids, replayed=True), input_hash


def _rows(
    connection: Connection[TupleRow], statement: LiteralString, values: Iterable[object]
) -> list[TupleRow]:
    with connection.cursor(binary=True) as cursor:
        return cursor.execute(statement, tuple(values), prepare=True).fetchall()
