"""A log that tests write to in few words, and the customers they write about."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

from ledger.clock import ManualClock
from ledger.events.base import Event, NewEvent
from ledger.ids import owner_id
from ledger.journal.entry import Entry
from ledger.store.event_log import Append, EventLog, Receipt

START = datetime(2026, 1, 1, tzinfo=UTC)
PROJECT = owner_id("project", "acme")
OTHER_PROJECT = owner_id("project", "other")
NOBODY = UUID(int=1)


def no_entry(_event: NewEvent) -> Entry | None:
    """A posting rule for tests that have no journal."""
    return None


class History:
    """Writes events to a log, counting the versions of their streams."""

    def __init__(self, log: EventLog, clock: ManualClock) -> None:
        self.log = log
        self.clock = clock
        self._versions: defaultdict[UUID, int] = defaultdict(int)

    def write(
        self,
        owner: UUID,
        events: Sequence[tuple[UUID, Event, datetime]],
        project: UUID = PROJECT,
    ) -> Receipt:
        """Append events of several streams at once, each with the time it counts from."""
        fresh = []
        for stream, event, effective_at in events:
            self._versions[stream] += 1
            version = self._versions[stream]
            fresh.append(
                NewEvent(stream=stream, version=version, event=event, effective_at=effective_at)
            )
        return self.log.append(
            Append(
                project=project,
                owner=owner,
                actor="test",
                correlation=NOBODY,
                causation=None,
                events=tuple(fresh),
            )
        )

    def say(self, stream: UUID, *events: Event, project: UUID = PROJECT) -> Receipt:
        """Append events of one stream that owns itself, counting from now."""
        now = self.clock.now()
        return self.write(stream, [(stream, event, now) for event in events], project)


def customer_named(name: str, project: UUID = PROJECT) -> UUID:
    """The id of a customer of a test."""
    return owner_id("customer", str(project), "external", name)
