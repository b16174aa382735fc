"""The event log in memory: the twin that tests of everything above the log run on."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from uuid import UUID

from ledger.clock import Clock
from ledger.errors import KeyReused, VersionConflict
from ledger.events.base import RecordedEvent
from ledger.journal.entry import Entry
from ledger.store.codec import decode_event, encode_event
from ledger.store.event_log import Append, Post, Receipt

_BEGINNING = datetime(1, 1, 1, tzinfo=UTC)


class MemoryLog:
    """The event log of one process; forgets everything with it."""

    def __init__(self, clock: Clock, *, post: Post) -> None:
        self._clock = clock
        self._post = post
        self._lock = threading.Lock()
        self._buckets: defaultdict[int, list[RecordedEvent]] = defaultdict(list)
        self._streams: defaultdict[UUID, list[RecordedEvent]] = defaultdict(list)
        self._receipts: dict[tuple[UUID, str], tuple[Receipt, bytes]] = {}
        self._heard: defaultdict[int, datetime] = defaultdict(lambda: _BEGINNING)
        self.entries: list[Entry] = []

    def append(self, append: Append) -> Receipt:
        """Write events, their journal entries and the key's receipt, all or nothing."""
        expected = append.expected()
        entries = [entry for entry in map(self._post, append.events) if entry is not None]
        with self._lock:
            kept = self._kept(append)
            if kept is not None:
                return kept
            for stream, version in expected.items():
                if len(self._streams.get(stream, ())) != version:
                    raise VersionConflict(stream, version)
            return self._write(append, entries)

    def stream(
        self,
        stream: UUID,
        *,
        after: int = 0,
        until: int | None = None,
        known_at: datetime | None = None,
    ) -> list[RecordedEvent]:
        """A stream's events beyond version `after`, up to `until`, recorded by `known_at`."""
        with self._lock:
            events = self._streams.get(stream, [])[after:until]
        return [e for e in events if known_at is None or e.recorded_at <= known_at]

    def streams(self, streams: Sequence[UUID]) -> dict[UUID, list[RecordedEvent]]:
        """Several streams whole; an unknown one is empty."""
        return {stream: self.stream(stream) for stream in streams}

    def receipt(self, project: UUID, key: str) -> tuple[Receipt, bytes] | None:
        """The receipt kept under a key, and the hash of the input it answered."""
        with self._lock:
            return self._receipts.get((project, key))

    def heads(self, buckets: Sequence[int] | None = None) -> dict[int, int]:
        """The last position of these buckets, or of all that hold any event."""
        with self._lock:
            if buckets is None:
                return {bucket: len(events) for bucket, events in self._buckets.items() if events}
            return {bucket: len(self._buckets.get(bucket, ())) for bucket in buckets}

    def read(self, after: Mapping[int, int], limit: int) -> list[RecordedEvent]:
        """At most `limit` events of these buckets beyond these positions, by bucket, position."""
        found: list[RecordedEvent] = []
        with self._lock:
            for bucket in sorted(after):
                events = self._buckets.get(bucket, [])
                found += events[after[bucket] : after[bucket] + limit - len(found)]
                if len(found) >= limit:
                    break
        return found

    def _kept(self, append: Append) -> Receipt | None:
        keyed = append.keyed
        if keyed is None:
            return None
        kept = self._receipts.get((keyed.project, keyed.key))
        if kept is None:
            return None
        receipt, input_hash = kept
        if input_hash != keyed.input_hash:
            raise KeyReused(keyed.key)
        return receipt

    def _write(self, append: Append, entries: Sequence[Entry]) -> Receipt:
        bucket = append.bucket
        events = self._buckets[bucket]
        recorded_at = max(self._clock.now(), self._heard[bucket])
        recorded = [
            RecordedEvent(
                bucket=bucket,
                position=len(events) + place,
                stream=new.stream,
                version=new.version,
                # Through the codec: what could not be stored is found out here as well.
                event=decode_event(new.event.NAME, new.event.VERSION, encode_event(new.event)),
                project=append.project,
                owner=append.owner,
                recorded_at=recorded_at,
                effective_at=new.effective_at,
                actor=append.actor,
                correlation=append.correlation,
                causation=append.causation,
            )
            for place, new in enumerate(append.events, start=1)
        ]
        self._heard[bucket] = recorded_at
        events += recorded
        for one in recorded:
            self._streams[one.stream].append(one)
        self.entries += entries
        position = len(events)
        if append.keyed is not None:
            keyed = append.keyed
            replay = Receipt(bucket=bucket, position=position, ids=dict(append.ids), replayed=True)
            self._receipts[keyed.project, keyed.key] = (replay, keyed.input_hash)
        return Receipt(bucket=bucket, position=position, ids=append.ids, replayed=False)
