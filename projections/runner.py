"""Takes events from the log into read models, exactly once, by the batch.

A batch's rows and the positions it leads to are one transaction; positions move by compare-and-set
on where they were read. So a runner that dies anywhere resumes where its last commit was, and two
that work on the same buckets never apply an event twice: the later one rolls back and reads again.
Projections that stand at the same position share one reading and one transaction.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Protocol

import psycopg
from psycopg import errors

from ledger.clock import Clock
from ledger.errors import Corrupt, Unavailable
from ledger.events.base import Event, RecordedEvent
from observability.logs import logger
from projections import checkpoints
from projections.base import Projection, Tables
from projections.batch_memory import RARE_COLLECTIONS
from projections.checkpoints import Failure, Lag, Move
from projections.table import Build, Database

BATCH: Final = 5_000
_RETRY_AFTER: Final = timedelta(seconds=30)
# Rows are derived and checkpoints go with them: what a power cut takes is simply read again. A plan
# is made for each batch's size, since tables that a rebuild fills grow faster than statistics.
_SETTINGS: Final = """
    SELECT set_config('synchronous_commit', 'off', false),
           set_config('plan_cache_mode', 'force_custom_plan', false),
           set_config('TimeZone', 'UTC', false)
"""
_LOST: Final = (errors.DeadlockDetected, errors.SerializationFailure, errors.LockNotAvailable)
_DOWN: Final = (psycopg.OperationalError, psycopg.InterfaceError)

_log = logger(__name__)


class Readable(Protocol):
    """The part of the event log that a follower needs."""

    def read(self, after: Mapping[int, int], limit: int) -> list[RecordedEvent]: ...


def _nobody_listens(_positions: Mapping[int, int]) -> None:
    return None


class _LostRace(Exception):
    """Another runner moved a checkpoint that this one had read."""


@dataclass(frozen=True, slots=True)
class _Follow:
    """One projection at work on one of its builds."""

    projection: Projection
    build: Build


@dataclass(frozen=True, slots=True)
class _Stride:
    """Buckets to read from these positions on, and who stands there."""

    after: dict[int, int]
    follows: dict[int, tuple[_Follow, ...]]

    def beyond(self, events: Sequence[RecordedEvent]) -> _Stride:
        """The same, when these events have been taken in."""
        after = {**self.after, **{event.bucket: event.position for event in events}}
        return _Stride(after, self.follows)


class Runner:
    """Keeps projections up with the log, in all buckets or in those given.

    It holds one connection and belongs to one thread. With `build`, it fills that build of its one
    projection instead of the live one. `on_commit` hears how far buckets have come, after each
    commit; it must not raise. Raises Unavailable when the database does not answer.
    """

    def __init__(
        self,
        log: Readable,
        dsn: str,
        projections: Sequence[Projection],
        clock: Clock,
        *,
        buckets: Collection[int] | None = None,
        build: Build | None = None,
        batch: int = BATCH,
        on_commit: Callable[[Mapping[int, int]], None] = _nobody_listens,
    ) -> None:
        self._log = log
        self._dsn = dsn
        self._projections = {projection.name: projection for projection in projections}
        self._clock = clock
        self._buckets = None if buckets is None else frozenset(buckets)
        self._build = build
        self._batch = batch
        self._on_commit = on_commit
        self._connection: Database | None = None
        self._failed: set[Build] = set()

    def close(self) -> None:
        """Close the connection; the next run opens a new one."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def run_once(self, buckets: Collection[int] | None = None) -> int:
        """Take in at most one batch per position of what lags, in these buckets or in all.

        Returns the number of events read: 0 means that there was nothing to do.
        """
        done = 0
        for stride in self._strides(buckets):
            done += len(self._take(stride, *self._read(stride)))
        return done

    def catch_up(self, progress: Callable[[int], None] | None = None) -> int:
        """Take in everything, reading ahead while rows are written; returns the events read.

        `progress` hears of each batch's size.
        """
        done = 0
        with RARE_COLLECTIONS, ThreadPoolExecutor(1, "read-ahead") as ahead:
            while strides := list(self._strides(None)):
                for stride in strides:
                    for count in self._march(stride, ahead):
                        done += count
                        if progress is not None:
                            progress(count)
        return done

    def _march(self, stride: _Stride, ahead: ThreadPoolExecutor) -> Iterator[int]:
        reading = ahead.submit(self._read, stride)
        while True:
            events, broken = reading.result()
            onward = stride.beyond(events)
            full = len(events) == self._batch and not broken
            if full:
                reading = ahead.submit(self._read, onward)
            taken = self._take(stride, events, broken)
            yield len(events)
            if not full or len(taken) < len(events):
                if full:
                    reading.result()
                return
            stride = onward

    def _strides(self, buckets: Collection[int] | None) -> Iterator[_Stride]:
        """What lags, parted so that in each part a bucket has one position; the foremost first."""
        wanted = self._buckets
        if buckets is not None:
            wanted = frozenset(buckets) if wanted is None else wanted & frozenset(buckets)
        places: defaultdict[int, defaultdict[int, list[_Follow]]]
        places = defaultdict(lambda: defaultdict(list))
        for lag in self._lagging(wanted):
            follow = _Follow(self._projections[lag.build.projection], lag.build)
            places[lag.bucket][lag.position].append(follow)
            if lag.failed:
                self._failed.add(lag.build)
        ordered = {bucket: sorted(here, reverse=True) for bucket, here in places.items()}
        for part in range(max((len(here) for here in ordered.values()), default=0)):
            after = {bucket: here[part] for bucket, here in ordered.items() if part < len(here)}
            follows = {bucket: tuple(places[bucket][after[bucket]]) for bucket in after}
            yield _Stride(after, follows)

    def _lagging(self, buckets: Collection[int] | None) -> list[Lag]:
        followed = [(projection, self._build) for projection in self._projections.values()]
        retry_before = self._clock.now() - _RETRY_AFTER
        try:
            return checkpoints.lagging(
                self._database(), followed, buckets=buckets, retry_before=retry_before
            )
        except _DOWN as error:
            raise self._unavailable() from error

    def _read(self, stride: _Stride) -> tuple[list[RecordedEvent], dict[int, Corrupt]]:
        """The next events, and the buckets whose very next event cannot be read."""
        try:
            return self._log.read(stride.after, self._batch), {}
        except Corrupt:
            pass
        events: list[RecordedEvent] = []
        broken: dict[int, Corrupt] = {}
        for bucket, position in stride.after.items():
            readable, error = self._read_up_to_fault(bucket, position)
            events += readable
            if error is not None and not readable:
                broken[bucket] = error
        return events, broken

    def _read_up_to_fault(
        self, bucket: int, position: int
    ) -> tuple[list[RecordedEvent], Corrupt | None]:
        limit = self._batch
        fault: Corrupt | None = None
        while limit:
            try:
                return self._log.read({bucket: position}, limit), fault
            except Corrupt as error:
                fault, limit = error, limit // 2
        return [], fault

    def _take(
        self, stride: _Stride, events: Sequence[RecordedEvent], broken: Mapping[int, Corrupt]
    ) -> Sequence[RecordedEvent]:
        """Take a reading in; returns the events taken, none when another runner was faster."""
        try:
            for bucket, error in broken.items():
                for follow in stride.follows[bucket]:
                    self._fail(follow, bucket, stride.after[bucket] + 1, error)
            if not events:
                return ()
            try:
                self._apply(stride.after, stride.follows, events)
            except (_LostRace, *_LOST):
                return ()
            except _DOWN:
                raise
            except Exception:  # noqa: BLE001  # whatever it is, find the one event that does it
                return self._apply_singly(stride, events)
        except _DOWN as error:
            raise self._unavailable() from error
        return events

    def _apply(
        self,
        after: Mapping[int, int],
        follows: Mapping[int, Sequence[_Follow]],
        events: Sequence[RecordedEvent],
    ) -> None:
        """Rows and positions of one reading, all or nothing."""
        last = {event.bucket: event.position for event in events}
        moves = [
            Move(bucket, follow.build, after[bucket], position)
            for bucket, position in last.items()
            for follow in follows[bucket]
        ]
        connection = self._database()
        with connection.transaction():
            # First of all, so that whoever is second waits here and then finds itself late.
            if not checkpoints.advance(connection, moves):
                raise _LostRace
            for follow, heard in _heard(follows, events):
                follow.projection.apply(Tables(connection, follow.build), heard)
            if self._failed:
                checkpoints.recover(connection, self._failed)
        self._failed.clear()
        self._on_commit(last)

    def _apply_singly(
        self, stride: _Stride, events: Sequence[RecordedEvent]
    ) -> Sequence[RecordedEvent]:
        """Each projection and bucket by itself, so that a fault stops only where it is."""
        for bucket, position in stride.after.items():
            own = [event for event in events if event.bucket == bucket]
            for follow in stride.follows[bucket]:
                if own:
                    self._apply_up_to_fault(follow, position, own)
        return ()

    def _apply_up_to_fault(
        self, follow: _Follow, position: int, events: Sequence[RecordedEvent]
    ) -> bool:
        """Apply one bucket's events to one build, as far as they go; True when all did."""
        bucket = events[0].bucket
        try:
            self._apply({bucket: position}, {bucket: (follow,)}, events)
        except (_LostRace, *_LOST):
            return False
        except _DOWN:
            raise
        except Exception as error:  # noqa: BLE001  # a fault in any code stops this bucket only
            if len(events) == 1:
                self._fail(follow, bucket, events[0].position, error)
                return False
            middle = len(events) // 2
            if not self._apply_up_to_fault(follow, position, events[:middle]):
                return False
            return self._apply_up_to_fault(follow, events[middle - 1].position, events[middle:])
        return True

    def _fail(self, follow: _Follow, bucket: int, position: int, error: Exception) -> None:
        name = follow.build.checkpoint
        reason = f"{type(error).__name__}: {error}"
        _log.error("projection stopped", projection=name, bucket=bucket, position=position)
        failure = Failure(bucket, name, position, reason, self._clock.now())
        checkpoints.fail(self._database(), failure)

    def _database(self) -> Database:
        if self._connection is None or self._connection.closed:
            self._connection = psycopg.connect(
                self._dsn,
                autocommit=True,
                connect_timeout=5,
                fallback_application_name="folio-projections",
            )
            self._connection.execute(_SETTINGS)
        return self._connection

    def _unavailable(self) -> Unavailable:
        self.close()
        return Unavailable("the read models' database")


def _heard(
    follows: Mapping[int, Sequence[_Follow]], events: Sequence[RecordedEvent]
) -> list[tuple[_Follow, list[RecordedEvent]]]:
    """Each build with the events it listens to, of the buckets it stands in."""
    everyone: dict[str, _Follow] = {}
    places: dict[str, set[int]] = {}
    for bucket, here in follows.items():
        for follow in here:
            everyone[follow.build.checkpoint] = follow
            places.setdefault(follow.build.checkpoint, set()).add(bucket)
    listeners: defaultdict[type[Event], list[tuple[set[int], list[RecordedEvent]]]]
    listeners = defaultdict(list)
    heard: list[tuple[_Follow, list[RecordedEvent]]] = []
    for name, follow in everyone.items():
        batch: list[RecordedEvent] = []
        heard.append((follow, batch))
        for kind in follow.projection.listens:
            listeners[kind].append((places[name], batch))
    for event in events:
        for buckets, batch in listeners.get(type(event.event), ()):
            if event.bucket in buckets:
                batch.append(event)
    return [(follow, batch) for follow, batch in heard if batch]
