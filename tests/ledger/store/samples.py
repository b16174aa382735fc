"""Appends to try the log with: real events of made-up customers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID, uuid4

from ledger.events.base import Event, NewEvent
from ledger.events.customer import CustomerIdentified
from ledger.events.invoice import InvoiceIssued
from ledger.ids import new_id, owner_id
from ledger.money import Money
from ledger.store.event_log import Append, KeyedInput

START = datetime(2026, 1, 31, 12, 30, 15, 123456, tzinfo=UTC)
PROJECT = owner_id("project", "samples")


def some_owner(bucket: int | None = None) -> UUID:
    """An owner nobody has written to; in any bucket, or in this one."""
    return owner_id("customer", uuid4().hex) if bucket is None else new_id(bucket, START)


def stream_of(owner: UUID) -> UUID:
    """Another new stream in an owner's bucket."""
    return new_id(owner.int >> 68 & 0xFF, START)


def identified(name: str = "user-1") -> Event:
    return CustomerIdentified(external_id=name)


def invoiced(owner: UUID, total: int = 1200) -> Event:
    return InvoiceIssued(
        customer=owner,
        subscription=None,
        provider_id="in_1",
        number=None,
        total=Money(total, "usd"),
        tax=Money(total // 6, "usd"),
        lines=(),
    )


def new_events(stream: UUID, *events: Event, after: int = 0) -> tuple[NewEvent, ...]:
    """Events as the next versions of a stream."""
    return tuple(
        NewEvent(stream=stream, version=after + step, event=event, effective_at=START)
        for step, event in enumerate(events, 1)
    )


def append_of(
    owner: UUID,
    events: Sequence[NewEvent],
    *,
    keyed: KeyedInput | None = None,
    ids: dict[str, str] | None = None,
) -> Append:
    return Append(
        project=PROJECT,
        owner=owner,
        actor="test",
        correlation=uuid4(),
        causation=None,
        events=tuple(events),
        keyed=keyed,
        ids=ids or {},
    )


def keyed(key: str, asked: bytes = b"input") -> KeyedInput:
    return KeyedInput(project=PROJECT, key=key, input_hash=asked)
