"""Invoices that a provider made, from the moment they are issued; drafts are not history."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from ledger.events.base import Event, event
from ledger.money import Money
from ledger.period import Period


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceLine:
    """One line of an invoice, before tax; `period` is the service it is for."""

    provider_id: str
    price_provider_id: str | None
    quantity: int | None
    amount: Money
    period: Period | None
    proration: bool


@event
class InvoiceIssued(Event):
    """An invoice became final; its amounts never change again. `total` includes `tax`."""

    NAME: ClassVar[str] = "invoice.issued"
    customer: UUID
    subscription: UUID | None
    provider_id: str
    number: str | None
    total: Money
    tax: Money
    lines: tuple[InvoiceLine, ...]


@event
class InvoiceSettled(Event):
    """An invoice is fully paid or owes nothing; the cash itself is a payment's event."""

    NAME: ClassVar[str] = "invoice.settled"
    paid: Money


@event
class InvoiceCollectionFailed(Event):
    """A try to collect an invoice failed; `attempt` counts from 1."""

    NAME: ClassVar[str] = "invoice.collection_failed"
    attempt: int
    next_attempt_at: datetime | None


@event
class InvoiceVoided(Event):
    """An issued invoice was cancelled as if never owed; `written_off` was bad debt by then."""

    NAME: ClassVar[str] = "invoice.voided"
    total: Money
    tax: Money
    written_off: Money


@event
class InvoiceMarkedUncollectible(Event):
    """The amount still open was given up as bad debt; the invoice may still be paid later."""

    NAME: ClassVar[str] = "invoice.marked_uncollectible"
    written_off: Money


@event
class InvoiceRecovered(Event):
    """A written-off invoice was paid after all; the bad debt is taken back."""

    NAME: ClassVar[str] = "invoice.recovered"
    recovered: Money
