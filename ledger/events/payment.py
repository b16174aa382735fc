"""Payments: money that moved, or failed to move, at a provider."""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

from ledger.events.base import Event, event
from ledger.money import Money


@event
class PaymentSucceeded(Event):
    """A customer's money arrived at the provider, once per payment."""

    NAME: ClassVar[str] = "payment.succeeded"
    customer: UUID
    provider_id: str
    amount: Money


@event
class PaymentFailed(Event):
    """A try to take a customer's money failed; `reason` is the provider's decline code."""

    NAME: ClassVar[str] = "payment.failed"
    customer: UUID
    provider_id: str
    amount: Money
    attempt: str
    reason: str | None


@event
class PaymentAllocated(Event):
    """A part of a payment went to an invoice, once per allocation."""

    NAME: ClassVar[str] = "payment.allocated"
    allocation: str
    invoice: UUID
    amount: Money
