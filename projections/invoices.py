"""Invoices as they stand, with what has been paid of them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from msgspec.structs import replace

from ledger.events.base import Event, RecordedEvent
from ledger.events.invoice import (
    InvoiceCollectionFailed,
    InvoiceIssued,
    InvoiceLine,
    InvoiceMarkedUncollectible,
    InvoiceRecovered,
    InvoiceSettled,
    InvoiceVoided,
)
from ledger.events.payment import PaymentAllocated
from ledger.ids import bucket_in
from projections.base import Batch, Projection, Step, Tables, fold
from projections.table import Database, Key, ReadRow, Table


class InvoiceStatus(StrEnum):
    """Where an issued invoice stands."""

    OPEN = "open"
    PAID = "paid"
    VOID = "void"
    UNCOLLECTIBLE = "uncollectible"


class Invoice(ReadRow, frozen=True):
    """An issued invoice; amounts are minor units of `currency`, `total` includes `tax`.

    `paid` is what the provider calls paid at settlement; `allocated` what payments brought.
    """

    bucket: int
    id: UUID
    project: UUID
    customer: UUID
    subscription: UUID | None
    provider_id: str
    number: str | None
    status: InvoiceStatus
    currency: str
    total: int
    tax: int
    paid: int
    allocated: int
    written_off: int
    lines: tuple[InvoiceLine, ...]
    attempts: int
    next_attempt_at: datetime | None
    issued_at: datetime
    settled_at: datetime | None
    voided_at: datetime | None
    uncollectible_at: datetime | None
    position: int


class InvoiceAllocation(ReadRow, frozen=True):
    """A part of a payment that went to an invoice."""

    bucket: int
    invoice: UUID
    payment: UUID
    allocation: str
    project: UUID
    amount: int
    currency: str
    allocated_at: datetime
    position: int


INVOICE: Final = Table(
    "invoice",
    Invoice,
    {
        "bucket": "smallint NOT NULL",
        "id": "uuid NOT NULL",
        "project": "uuid NOT NULL",
        "customer": "uuid NOT NULL",
        "subscription": "uuid",
        "provider_id": "text NOT NULL",
        "number": "text",
        "status": "text NOT NULL",
        "currency": "text NOT NULL",
        "total": "bigint NOT NULL",
        "tax": "bigint NOT NULL",
        "paid": "bigint NOT NULL",
        "allocated": "bigint NOT NULL",
        "written_off": "bigint NOT NULL",
        "lines": "jsonb NOT NULL",
        "attempts": "integer NOT NULL",
        "next_attempt_at": "timestamptz",
        "issued_at": "timestamptz NOT NULL",
        "settled_at": "timestamptz",
        "voided_at": "timestamptz",
        "uncollectible_at": "timestamptz",
        "position": "bigint NOT NULL",
    },
    key=("bucket", "id"),
    indexes=("(bucket, customer)", "(project, id)", "(provider_id)"),
    documents={"lines": tuple[InvoiceLine, ...]},
    kinds={"status": InvoiceStatus},
)

ALLOCATION: Final = Table(
    "invoice_allocation",
    InvoiceAllocation,
    {
        "bucket": "smallint NOT NULL",
        "invoice": "uuid NOT NULL",
        "payment": "uuid NOT NULL",
        "allocation": "text NOT NULL",
        "project": "uuid NOT NULL",
        "amount": "bigint NOT NULL",
        "currency": "text NOT NULL",
        "allocated_at": "timestamptz NOT NULL",
        "position": "bigint NOT NULL",
    },
    key=("bucket", "invoice", "payment", "allocation"),
)


def _step(earlier: Mapping[Key, InvoiceAllocation]) -> Step[Invoice]:
    """The fold of an invoice; `earlier` may hold allocations heard of before it was issued."""

    def step(row: Invoice | None, recorded: RecordedEvent) -> Invoice | None:
        event = recorded.event
        if isinstance(event, InvoiceIssued):
            allocated = sum(
                each.amount
                for each in earlier.values()
                if each.invoice == recorded.stream and each.position < recorded.position
            )
            return _issued(event, recorded, allocated)
        if row is None:
            return None
        return replace(_changed(row, event, recorded.effective_at), position=recorded.position)

    return step


def _issued(event: InvoiceIssued, recorded: RecordedEvent, allocated: int) -> Invoice:
    return Invoice(
        bucket=recorded.bucket,
        id=recorded.stream,
        project=recorded.project,
        customer=event.customer,
        subscription=event.subscription,
        provider_id=event.provider_id,
        number=event.number,
        status=InvoiceStatus.OPEN,
        currency=event.total.currency,
        total=event.total.amount,
        tax=event.tax.amount,
        paid=0,
        allocated=allocated,
        written_off=0,
        lines=event.lines,
        attempts=0,
        next_attempt_at=None,
        issued_at=recorded.effective_at,
        settled_at=None,
        voided_at=None,
        uncollectible_at=None,
        position=recorded.position,
    )


def _changed(row: Invoice, event: Event, at: datetime) -> Invoice:
    match event:
        case InvoiceSettled(paid=paid):
            return replace(
                row,
                status=InvoiceStatus.PAID,
                paid=paid.amount,
                settled_at=at,
                next_attempt_at=None,
            )
        case InvoiceCollectionFailed(attempt=attempt, next_attempt_at=next_attempt_at):
            attempts = max(attempt, row.attempts)
            return replace(row, attempts=attempts, next_attempt_at=next_attempt_at)
        case InvoiceVoided():
            return replace(
                row, status=InvoiceStatus.VOID, voided_at=at, written_off=0, next_attempt_at=None
            )
        case InvoiceMarkedUncollectible(written_off=written_off):
            return replace(
                row,
                status=InvoiceStatus.UNCOLLECTIBLE,
                written_off=written_off.amount,
                uncollectible_at=at,
                next_attempt_at=None,
            )
        case InvoiceRecovered():
            return replace(row, written_off=0)
        case PaymentAllocated(amount=amount):
            return replace(row, allocated=row.allocated + amount.amount)
    return row


def _allocation_step(
    _row: InvoiceAllocation | None, recorded: RecordedEvent
) -> InvoiceAllocation | None:
    event = recorded.event
    assert isinstance(event, PaymentAllocated)
    return InvoiceAllocation(
        recorded.bucket,
        event.invoice,
        recorded.stream,
        event.allocation,
        recorded.project,
        event.amount.amount,
        event.amount.currency,
        recorded.effective_at,
        recorded.position,
    )


def _invoice_key(recorded: RecordedEvent) -> Key:
    event = recorded.event
    invoice = event.invoice if isinstance(event, PaymentAllocated) else recorded.stream
    return (recorded.bucket, invoice)


def _allocation_key(recorded: RecordedEvent) -> Key:
    event = recorded.event
    assert isinstance(event, PaymentAllocated)
    return (recorded.bucket, event.invoice, recorded.stream, event.allocation)


def _apply(tables: Tables, batch: Batch) -> None:
    allocated = [each for each in batch if isinstance(each.event, PaymentAllocated)]
    fold(tables, ALLOCATION, allocated, _allocation_step, _allocation_key)
    issued = {_invoice_key(each) for each in batch if isinstance(each.event, InvoiceIssued)}
    fold(tables, INVOICE, batch, _step(tables.load(ALLOCATION, issued)), _invoice_key)


INVOICES: Final = Projection(
    name="invoices",
    version=1,
    tables=(INVOICE, ALLOCATION),
    listens=frozenset(
        {
            InvoiceCollectionFailed,
            InvoiceIssued,
            InvoiceMarkedUncollectible,
            InvoiceRecovered,
            InvoiceSettled,
            InvoiceVoided,
            PaymentAllocated,
        }
    ),
    apply=_apply,
)


def by_id(connection: Database, project: UUID, invoice: UUID) -> Invoice | None:
    """An invoice of this project."""
    found = INVOICE.select(
        connection,
        "WHERE bucket = %s AND id = %s AND project = %s",
        (bucket_in(invoice), invoice, project),
    )
    return found[0] if found else None


def allocations(connection: Database, project: UUID, invoice: UUID) -> list[InvoiceAllocation]:
    """What payments brought to an invoice, in order."""
    return ALLOCATION.select(
        connection,
        "WHERE bucket = %s AND invoice = %s AND project = %s ORDER BY position",
        (bucket_in(invoice), invoice, project),
    )


def of_customer(
    connection: Database, project: UUID, customer: UUID, *, limit: int, after: UUID | None = None
) -> list[Invoice]:
    """A customer's invoices by id, beyond `after`."""
    return INVOICE.select(
        connection,
        "WHERE bucket = %s AND customer = %s AND project = %s AND id > %s ORDER BY id LIMIT %s",
        (bucket_in(customer), customer, project, after or UUID(int=0), limit),
    )


def page(
    connection: Database,
    project: UUID,
    *,
    limit: int,
    after: UUID | None = None,
    status: InvoiceStatus | None = None,
) -> list[Invoice]:
    """Invoices of a project by id, beyond `after`, of one status or of any."""
    return INVOICE.select(
        connection,
        "WHERE project = %s AND id > %s AND (%s::text IS NULL OR status = %s) ORDER BY id LIMIT %s",
        (project, after or UUID(int=0), status, status, limit),
    )
