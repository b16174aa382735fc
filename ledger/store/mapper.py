"""The library's mapper for our events: stable names as topics, state as JSON to be read in SQL."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from eventsourcing.domain import DomainEventProtocol
from eventsourcing.persistence import Mapper, StoredEvent

from ledger.events.base import Event
from ledger.store.codec import decode_event, encode_event

_VERSION_MARK = "@"


@dataclass(frozen=True, slots=True)
class StreamEvent:
    """An event in its place in a stream, in the words the library's applications expect."""

    originator_id: UUID
    originator_version: int
    event: Event


class EventMapper(Mapper[UUID]):
    """Converts StreamEvents; the library's compressor and cipher are not used."""

    def to_stored_event(self, domain_event: DomainEventProtocol[UUID]) -> StoredEvent:
        """A StreamEvent as the recorders take it."""
        if not isinstance(domain_event, StreamEvent):
            raise TypeError(f"{type(domain_event).__name__} is no StreamEvent")
        return StoredEvent(
            originator_id=domain_event.originator_id,
            originator_version=domain_event.originator_version,
            topic=topic_of(domain_event.event.NAME, domain_event.event.VERSION),
            state=encode_event(domain_event.event),
        )

    def to_domain_event(self, stored_event: StoredEvent) -> DomainEventProtocol[UUID]:
        """What a recorder returned as a StreamEvent; raises Corrupt."""
        name, schema_version = name_and_version(stored_event.topic)
        return StreamEvent(
            UUID(str(stored_event.originator_id)),
            stored_event.originator_version,
            decode_event(name, schema_version, stored_event.state),
        )


def topic_of(name: str, schema_version: int) -> str:
    """An event's name and version as one topic: the first version is its name alone."""
    return name if schema_version == 1 else f"{name}{_VERSION_MARK}{schema_version}"


def name_and_version(topic: str) -> tuple[str, int]:
    """The name and version a topic stands for."""
    name, _, version = topic.rpartition(_VERSION_MARK)
    return (name, int(version)) if name and version.isdecimal() else (topic, 1)
