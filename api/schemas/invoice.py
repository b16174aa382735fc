"""Invoices, as documents."""

from __future__ import annotations

from datetime import datetime
from typing import Self
from uuid import UUID

from api.schemas.base import Told
from ledger.events.invoice import InvoiceLine
from projections.invoices import Invoice, InvoiceStatus


class InvoicedLine(Told):
    """One line of an invoice, before tax, in minor units of the invoice's currency."""

    amount: int
    quantity: int | None
    proration: bool
    period_start: datetime | None
    period_end: datetime | None

    @classmethod
    def of(cls, line: InvoiceLine) -> Self:
        return cls(
            amount=line.amount.amount,
            quantity=line.quantity,
            proration=line.proration,
            period_start=line.period.start if line.period else None,
            period_end=line.period.end if line.period else None,
        )


class InvoiceDetails(Told):
    """An issued invoice; amounts are whole minor units of `currency`, `total` includes `tax`."""

    id: UUID
    customer: UUID
    subscription: UUID | None
    provider_id: str
    number: str | None
    status: InvoiceStatus
    currency: str
    total: int
    tax: int
    paid: int
    written_off: int
    lines: list[InvoicedLine]
    attempts: int
    next_attempt_at: datetime | None
    issued_at: datetime
    settled_at: datetime | None
    voided_at: datetime | None
    uncollectible_at: datetime | None
    position: int

    @classmethod
    def of(cls, row: Invoice) -> Self:
        return cls(
            id=row.id,
            customer=row.customer,
            subscription=row.subscription,
            provider_id=row.provider_id,
            number=row.number,
            status=row.status,
            currency=row.currency,
            total=row.total,
            tax=row.tax,
            paid=row.paid,
            written_off=row.written_off,
            lines=[InvoicedLine.of(line) for line in row.lines],
            attempts=row.attempts,
            next_attempt_at=row.next_attempt_at,
            issued_at=row.issued_at,
            settled_at=row.settled_at,
            voided_at=row.voided_at,
            uncollectible_at=row.uncollectible_at,
            position=row.position,
        )
