"""Payments: keyed by the economic object, so that many reports of one payment count once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from uuid import UUID

from ledger.events.base import Decided, Happening
from ledger.events.payment import PaymentAllocated, PaymentFailed, PaymentSucceeded
from ledger.facts import AllocationFact, PaymentFact, ProviderAccount
from ledger.ids import bucket_in, derived_id


def payment_id(customer: UUID, account: ProviderAccount, provider_id: str) -> UUID:
    """The id of a customer's payment at a provider."""
    return derived_id(bucket_in(customer), "payment", *account.parts(provider_id))


@dataclass(frozen=True, slots=True)
class Payment:
    """A payment as its events leave it."""

    succeeded: bool = False
    failed_attempts: frozenset[str] = frozenset()
    allocations: frozenset[str] = frozenset()


def evolve(state: Payment | None, happened: Happening) -> Payment:
    state = state or Payment()
    match happened.event:
        case PaymentSucceeded():
            return replace(state, succeeded=True)
        case PaymentFailed(attempt=attempt):
            return replace(state, failed_attempts=state.failed_attempts | {attempt})
        case PaymentAllocated(allocation=allocation):
            return replace(state, allocations=state.allocations | {allocation})
    return state


def observe(state: Payment | None, fact: PaymentFact, *, customer: UUID) -> tuple[Decided, ...]:
    """What a provider's statement about a payment tells us that we did not know."""
    known = state or Payment()
    if fact.succeeded and not known.succeeded:
        succeeded = PaymentSucceeded(
            customer=customer, provider_id=fact.provider_id, amount=fact.amount
        )
        return (Decided(succeeded, fact.observed_at),)
    if fact.succeeded is False and fact.attempt not in known.failed_attempts:
        failed = PaymentFailed(
            customer=customer,
            provider_id=fact.provider_id,
            amount=fact.amount,
            attempt=fact.attempt,
            reason=fact.failure,
        )
        return (Decided(failed, fact.observed_at),)
    return ()


def allocate(state: Payment | None, fact: AllocationFact, *, invoice: UUID) -> tuple[Decided, ...]:
    """The part of a payment that went to an invoice, once per allocation."""
    if state is not None and fact.provider_id in state.allocations:
        return ()
    allocated = PaymentAllocated(allocation=fact.provider_id, invoice=invoice, amount=fact.amount)
    return (Decided(allocated, fact.observed_at),)
