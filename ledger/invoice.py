"""Invoices: what a provider's statements change, from the day an invoice is issued."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from ledger.errors import NotFound
from ledger.events.base import Decided, Event, Happening
from ledger.events.invoice import (
    InvoiceCollectionFailed,
    InvoiceIssued,
    InvoiceMarkedUncollectible,
    InvoiceRecovered,
    InvoiceSettled,
    InvoiceVoided,
)
from ledger.facts import InvoiceFact, ProviderAccount
from ledger.ids import bucket_in, derived_id
from ledger.money import Money


def invoice_id(customer: UUID, account: ProviderAccount, provider_id: str) -> UUID:
    """The id of a customer's invoice at a provider."""
    return derived_id(bucket_in(customer), "invoice", *account.parts(provider_id))


@dataclass(frozen=True, slots=True)
class Invoice:
    """An issued invoice as its events leave it."""

    customer: UUID
    total: Money
    tax: Money
    settled: bool = False
    voided: bool = False
    written_off: Money | None = None
    failed_attempts: frozenset[int] = frozenset()


def evolve(state: Invoice | None, happened: Happening) -> Invoice:
    event = happened.event
    if isinstance(event, InvoiceIssued):
        return Invoice(event.customer, event.total, event.tax)
    if state is None:
        raise NotFound("invoice", "without a beginning")
    match event:
        case InvoiceSettled():
            return replace(state, settled=True)
        case InvoiceVoided():
            return replace(state, voided=True)
        case InvoiceMarkedUncollectible(written_off=written_off):
            return replace(state, written_off=written_off)
        case InvoiceRecovered():
            return replace(state, written_off=None)
        case InvoiceCollectionFailed(attempt=attempt):
            return replace(state, failed_attempts=state.failed_attempts | {attempt})
    return state


def observe(
    state: Invoice | None, fact: InvoiceFact, *, customer: UUID, subscription: UUID | None
) -> tuple[Decided, ...]:
    """What a provider's statement changes; paid and void are for ever, a draft is not history."""
    if fact.status == "draft" or (state is None and fact.status == "void" and not fact.issued_at):
        return ()
    issued: tuple[Decided, ...] = ()
    if state is None:
        issued = (_issue(fact, customer, subscription),)
        state = evolve(None, issued[0])
    return (*issued, *_news(state, fact))


def _issue(fact: InvoiceFact, customer: UUID, subscription: UUID | None) -> Decided:
    event = InvoiceIssued(
        customer=customer,
        subscription=subscription,
        provider_id=fact.provider_id,
        number=fact.number,
        total=fact.total,
        tax=fact.tax,
        lines=fact.lines,
    )
    return Decided(event, fact.issued_at or fact.observed_at)


def _news(state: Invoice, fact: InvoiceFact) -> Iterator[Decided]:
    if fact.failed_attempt is not None and fact.failed_attempt not in state.failed_attempts:
        failed = InvoiceCollectionFailed(
            attempt=fact.failed_attempt, next_attempt_at=fact.next_attempt_at
        )
        yield Decided(failed, fact.observed_at)
    if state.settled or state.voided:
        return
    for event, at in _ending(state, fact):
        yield Decided(event, at or fact.observed_at)


def _ending(state: Invoice, fact: InvoiceFact) -> Iterator[tuple[Event, datetime | None]]:
    nothing = Money(0, state.total.currency)
    match fact.status:
        case "paid":
            if state.written_off is not None:
                yield InvoiceRecovered(recovered=state.written_off), fact.settled_at
            yield InvoiceSettled(paid=fact.paid), fact.settled_at
        case "void":
            voided = InvoiceVoided(
                total=state.total, tax=state.tax, written_off=state.written_off or nothing
            )
            yield voided, fact.voided_at
        case "uncollectible" if state.written_off is None:
            written_off = state.total - fact.paid
            yield InvoiceMarkedUncollectible(written_off=written_off), fact.uncollectible_at
