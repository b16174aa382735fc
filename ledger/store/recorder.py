"""The library's recorders over one bucket of our log: same tables, same append, same positions.

They let the library's applications, projections and subscriptions run on the log. Folio's own
writes go through PostgresLog, which also groups, keys and posts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final
from uuid import UUID

import psycopg
from eventsourcing.persistence import (
    ApplicationRecorder,
    IntegrityError,
    Notification,
    OperationalError,
    ProcessRecorder,
    StoredEvent,
    Tracking,
    TrackingRecorder,
)
from psycopg.rows import TupleRow

from ledger.clock import Clock
from ledger.errors import Unavailable
from ledger.ids import derived_id, new_id
from ledger.store import arrays
from ledger.store.event_log import Append
from ledger.store.mapper import name_and_version, topic_of
from ledger.store.packing import Group, Packed
from ledger.store.session import Lost, Session, Sessions
from ledger.store.subscription import PollingSubscription

_COLUMNS: Final = "stream, version, topic, schema_version, state"
_TRACK: Final = """
    INSERT INTO log_tracking AS kept (bucket, application, notification_id) VALUES (%b, %b, %b)
    ON CONFLICT (bucket, application) DO UPDATE SET notification_id = excluded.notification_id
    WHERE kept.notification_id < excluded.notification_id
"""
_TRACKED: Final = """
    SELECT notification_id FROM log_tracking WHERE bucket = %b AND application = %b
"""
_LAST_POSITION: Final = "SELECT max(pos) FROM log_event WHERE bucket = %b"


class BucketTrackingRecorder(TrackingRecorder):
    """How far applications have been followed, kept in the followed bucket."""

    def __init__(self, sessions: Sessions, bucket: int) -> None:
        self._sessions = sessions
        self.bucket = bucket

    def insert_tracking(self, tracking: Tracking) -> None:
        """Record a position; raises IntegrityError for one that is no step forward."""
        with self._sessions.use() as session:
            self._track(session.connection, tracking)

    def max_tracking_id(self, application_name: str) -> int | None:
        """The position reached, if any."""
        with self._sessions.use() as session:
            row = _one(session, _TRACKED, (self.bucket, application_name))
        return row[0] if row else None

    def _track(self, connection: psycopg.Connection[TupleRow], tracking: Tracking) -> None:
        values = (self.bucket, tracking.application_name, tracking.notification_id)
        if connection.execute(_TRACK, values, prepare=True).rowcount == 0:
            raise IntegrityError(f"{tracking} is no step forward")


class BucketApplicationRecorder(ApplicationRecorder):
    """One application's events, all in one bucket; a notification's id is its position there."""

    def __init__(self, sessions: Sessions, bucket: int, clock: Clock) -> None:
        self._sessions = sessions
        self._clock = clock
        self.bucket = bucket

    def insert_events(
        self, stored_events: Sequence[StoredEvent], **kwargs: object
    ) -> Sequence[int] | None:
        """Append events and answer with their positions; raises IntegrityError on a conflict."""
        with self._sessions.use() as session:
            return self._append(session, stored_events)

    def select_events(
        self,
        originator_id: UUID | str,
        *,
        gt: int | None = None,
        lte: int | None = None,
        desc: bool = False,
        limit: int | None = None,
    ) -> Sequence[StoredEvent]:
        """A stream's events beyond version `gt`, up to `lte`, in either direction."""
        wanted = {
            "bucket = %b": self.bucket,
            "stream = %b": UUID(str(originator_id)),
            "version > %b": gt,
            "version <= %b": lte,
        }
        order = f"version {'DESC' if desc else 'ASC'}"
        return [_stored(row) for row in self._select(_COLUMNS, wanted, order, limit)]

    def select_notifications(
        self,
        start: int | None,
        limit: int,
        stop: int | None = None,
        topics: Sequence[str] = (),
        *,
        inclusive_of_start: bool = True,
    ) -> Sequence[Notification]:
        """The bucket's events from position `start` to `stop`, of these topics if any are named."""
        wanted = {
            "bucket = %b": self.bucket,
            "pos >= %b" if inclusive_of_start else "pos > %b": start,
            "pos <= %b": stop,
            "topic = ANY(%b)": [name_and_version(topic)[0] for topic in topics] or None,
        }
        rows = self._select(f"{_COLUMNS}, pos", wanted, "pos", limit)
        return [Notification(id=row[5], **vars(_stored(row))) for row in rows]

    def max_notification_id(self) -> int | None:
        """The bucket's last position, or None when it holds nothing."""
        with self._sessions.use() as session:
            row = _one(session, _LAST_POSITION, (self.bucket,))
        return row[0] if row else None

    def subscribe(
        self, gt: int | None = None, topics: Sequence[str] = ()
    ) -> PollingSubscription[BucketApplicationRecorder]:
        """Events from now on, by asking again and again: right without any hint."""
        return PollingSubscription(self, gt, topics)

    def _append(self, session: Session, stored_events: Sequence[StoredEvent]) -> list[int]:
        if not stored_events:
            return []
        group = Group([self._packed(stored_events)])
        try:
            heads, _, _ = session.append(group.parameters(self._clock.now()))
        except (Lost, Unavailable) as error:
            raise OperationalError(str(error)) from error
        if not heads:
            raise IntegrityError("a stream has moved on")
        return list(range(heads[0] - len(stored_events) + 1, heads[0] + 1))

    def _packed(self, stored_events: Sequence[StoredEvent]) -> Packed:
        now = self._clock.now()
        home = derived_id(self.bucket, "application")
        expected: dict[UUID, int] = {}
        streams = [UUID(str(stored.originator_id)) for stored in stored_events]
        for stream, stored in zip(streams, stored_events, strict=True):
            expected.setdefault(stream, stored.originator_version - 1)
        topics = [name_and_version(stored.topic) for stored in stored_events]
        append = Append(
            project=home,
            owner=home,
            actor="application",
            correlation=new_id(self.bucket, now),
            causation=None,
            events=(),
        )
        return replace(
            Packed.envelope(append, expected),
            count=len(stored_events),
            streams=[arrays.uuid(stream) for stream in streams],
            versions=[stored.originator_version for stored in stored_events],
            topics=[arrays.text(name) for name, _ in topics],
            shapes=[version for _, version in topics],
            effective=[arrays.timestamp(now)] * len(stored_events),
            states=[arrays.raw(stored.state) for stored in stored_events],
        )

    def _select(
        self, columns: str, wanted: Mapping[str, object], order: str, limit: int | None
    ) -> list[TupleRow]:
        given = {condition: value for condition, value in wanted.items() if value is not None}
        question = (
            f"SELECT {columns} FROM log_event WHERE {' AND '.join(given)} ORDER BY {order} LIMIT %b"
        )
        with self._sessions.use() as session, session.connection.cursor(binary=True) as cursor:
            values = (*given.values(), limit)
            return cursor.execute(question.encode(), values, prepare=True).fetchall()


class BucketProcessRecorder(BucketApplicationRecorder, BucketTrackingRecorder, ProcessRecorder):
    """Events together with the position of what they follow from, in one commit."""

    def insert_events(
        self, stored_events: Sequence[StoredEvent], **kwargs: object
    ) -> Sequence[int] | None:
        """Append events and record `tracking`, if given, all or nothing."""
        tracking = kwargs.get("tracking")
        with self._sessions.use() as session, session.transaction():
            if isinstance(tracking, Tracking):
                self._track(session.connection, tracking)
            return self._append(session, stored_events)


def _one(session: Session, question: str, values: Sequence[object]) -> TupleRow | None:
    with session.connection.cursor(binary=True) as cursor:
        return cursor.execute(question.encode(), values, prepare=True).fetchone()


def _stored(row: TupleRow) -> StoredEvent:
    stream, version, topic, schema_version, state = row[:5]
    return StoredEvent(stream, version, topic_of(topic, schema_version), state)
