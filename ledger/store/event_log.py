"""What the event log promises: one atomic append, and history read back in order."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Protocol
from uuid import UUID

from ledger.events.base import NewEvent, RecordedEvent
from ledger.ids import bucket_in
from ledger.journal.entry import Entry

Post = Callable[[NewEvent], Entry | None]
"""The posting rule: the journal entry an event causes, if any."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyedInput:
    """The idempotency key of a write and the hash of what was asked.

    One key always leads to one bucket: the owner of a keyed write follows from its input, never
    from a fresh id.
    """

    project: UUID
    key: str
    input_hash: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Append:
    """One atomic write to the bucket of its owner.

    `ids` is what the receipt hands back to the caller. Raises ValueError for what no caller may
    ask: a stream of another bucket, or versions of a stream that do not follow each other.
    """

    project: UUID
    owner: UUID
    actor: str
    correlation: UUID
    causation: str | None
    events: tuple[NewEvent, ...]
    keyed: KeyedInput | None = None
    ids: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def bucket(self) -> int:
        """The bucket this append writes to."""
        return bucket_in(self.owner)

    def expected(self) -> dict[UUID, int]:
        """The version at which each stream must stand for this append to go in."""
        bucket = self.bucket
        first: dict[UUID, int] = {}
        last: dict[UUID, int] = {}
        for new in self.events:
            before = last.get(new.stream)
            if before is None:
                if bucket_in(new.stream) != bucket:
                    raise ValueError(f"stream {new.stream} is not in the bucket of {self.owner}")
                first[new.stream] = before = new.version - 1
            if new.version != before + 1 or new.version < 1:
                raise ValueError(f"stream {new.stream} goes from {before} to {new.version}")
            last[new.stream] = new.version
        return first


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What the caller of a write gets: where the log stood then, the ids made, new or replayed."""

    bucket: int
    position: int
    ids: Mapping[str, str]
    replayed: bool


class EventLog(Protocol):
    """The log of all events, in 256 buckets of dense positions."""

    def append(self, append: Append) -> Receipt:
        """Write events, their journal entries and the key's receipt, all or nothing.

        Raises VersionConflict, KeyReused, Unavailable (nothing was written) or OutcomeUnknown.
        """
        ...

    def stream(
        self,
        stream: UUID,
        *,
        after: int = 0,
        until: int | None = None,
        known_at: datetime | None = None,
    ) -> list[RecordedEvent]:
        """A stream's events beyond version `after`, up to `until`, recorded by `known_at`."""
        ...

    def streams(self, streams: Sequence[UUID]) -> dict[UUID, list[RecordedEvent]]:
        """Several streams whole, of any buckets, in one question; an unknown one is empty."""
        ...

    def receipt(self, project: UUID, key: str) -> tuple[Receipt, bytes] | None:
        """The receipt kept under a key, and the hash of the input it answered."""
        ...

    def heads(self, buckets: Sequence[int] | None = None) -> dict[int, int]:
        """The last position of these buckets, or of all that hold any event."""
        ...

    def read(self, after: Mapping[int, int], limit: int) -> list[RecordedEvent]:
        """Events of these buckets beyond these positions, by bucket and position."""
        ...
