"""Payments: money that moved, or failed to, and where it went."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from msgspec.structs import replace

from ledger.events.base import RecordedEvent
from ledger.events.payment import PaymentAllocated, PaymentFailed, PaymentSucceeded
from ledger.ids import bucket_in
from projections.base import Batch, Projection, Tables, fold
from projections.table import Database, ReadRow, Table


class PaymentStatus(StrEnum):
    """Whether a payment's money has arrived; success is for ever."""

    PENDING = "pending"  # heard of only by where it went
    SUCCEEDED = "succeeded"
    FAILED = "failed"


class Payment(ReadRow, frozen=True):
    """A payment; amounts are minor units of `currency`, `failures` counts its failed tries."""

    bucket: int
    id: UUID
    project: UUID
    customer: UUID
    provider_id: str | None
    status: PaymentStatus
    currency: str
    amount: int
    allocated: int
    failures: int
    failure_reason: str | None
    succeeded_at: datetime | None
    failed_at: datetime | None
    position: int


PAYMENT: Final = Table(
    "payment",
    Payment,
    {
        "bucket": "smallint NOT NULL",
        "id": "uuid NOT NULL",
        "project": "uuid NOT NULL",
        "customer": "uuid NOT NULL",
        "provider_id": "text",
        "status": "text NOT NULL",
        "currency": "text NOT NULL",
        "amount": "bigint NOT NULL",
        "allocated": "bigint NOT NULL",
        "failures": "integer NOT NULL",
        "failure_reason": "text",
        "succeeded_at": "timestamptz",
        "failed_at": "timestamptz",
        "position": "bigint NOT NULL",
    },
    key=("bucket", "id"),
    indexes=("(bucket, customer)", "(project, id)", "(provider_id)"),
    kinds={"status": PaymentStatus},
)


def _step(row: Payment | None, recorded: RecordedEvent) -> Payment | None:
    event, at = recorded.event, recorded.effective_at
    assert isinstance(event, PaymentSucceeded | PaymentFailed | PaymentAllocated)
    row = replace(row or _unheard(recorded, event.amount.currency), position=recorded.position)
    amount = event.amount.amount
    if isinstance(event, PaymentAllocated):
        return replace(row, allocated=row.allocated + amount)
    row = replace(row, provider_id=event.provider_id, amount=amount)
    if isinstance(event, PaymentSucceeded):
        return replace(row, status=PaymentStatus.SUCCEEDED, succeeded_at=at)
    failed = row.status is not PaymentStatus.SUCCEEDED
    return replace(
        row,
        status=PaymentStatus.FAILED if failed else row.status,
        failures=row.failures + 1,
        failure_reason=event.reason,
        failed_at=at,
    )


def _unheard(recorded: RecordedEvent, currency: str) -> Payment:
    return Payment(
        bucket=recorded.bucket,
        id=recorded.stream,
        project=recorded.project,
        customer=recorded.owner,
        provider_id=None,
        status=PaymentStatus.PENDING,
        currency=currency,
        amount=0,
        allocated=0,
        failures=0,
        failure_reason=None,
        succeeded_at=None,
        failed_at=None,
        position=recorded.position,
    )


def _apply(tables: Tables, batch: Batch) -> None:
    fold(tables, PAYMENT, batch, _step)


PAYMENTS: Final = Projection(
    name="payments",
    version=1,
    tables=(PAYMENT,),
    listens=frozenset({PaymentAllocated, PaymentFailed, PaymentSucceeded}),
    apply=_apply,
)


def by_id(connection: Database, project: UUID, payment: UUID) -> Payment | None:
    """A payment of this project."""
    found = PAYMENT.select(
        connection,
        "WHERE bucket = %s AND id = %s AND project = %s",
        (bucket_in(payment), payment, project),
    )
    return found[0] if found else None


def of_customer(
    connection: Database, project: UUID, customer: UUID, *, limit: int, after: UUID | None = None
) -> list[Payment]:
    """A customer's payments by id, beyond `after`."""
    return PAYMENT.select(
        connection,
        "WHERE bucket = %s AND customer = %s AND project = %s AND id > %s ORDER BY id LIMIT %s",
        (bucket_in(customer), customer, project, after or UUID(int=0), limit),
    )


def page(
    connection: Database, project: UUID, *, limit: int, after: UUID | None = None
) -> list[Payment]:
    """Payments of a project by id, beyond `after`."""
    return PAYMENT.select(
        connection,
        "WHERE project = %s AND id > %s ORDER BY id LIMIT %s",
        (project, after or UUID(int=0), limit),
    )
