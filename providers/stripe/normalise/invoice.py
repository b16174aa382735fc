"""Stripe's invoices, and which payments went to them."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from ledger.events.invoice import InvoiceLine
from ledger.facts import AllocationFact, Fact, InvoiceFact
from ledger.money import Money
from providers.port import Ignored, NeedsFetch, Reading
from providers.stripe.normalise.customer import owner_of
from providers.stripe.normalise.shape import Observation, Shape

_STATUSES: Final = frozenset({"draft", "open", "paid", "void", "uncollectible"})
_NOT_ISSUED: Final = {"upcoming": "a preview", "deleted": "a deleted draft"}
_MOST_ATTEMPTS: Final = 10_000


def read_invoice(invoice: Shape, seen: Observation) -> Reading:
    """The invoice and the payments it names; what was never issued is no history."""
    if seen.occasion in _NOT_ISSUED:
        return Ignored(_NOT_ISSUED[seen.occasion])
    status = _status(invoice)
    if status == "draft":
        return Ignored("draft")
    currency = invoice.currency()
    transitions = invoice.maybe_child("status_transitions") or invoice
    failed = seen.occasion == "payment_failed"
    fact = InvoiceFact(
        account=seen.account,
        provider_id=invoice.text("id"),
        observed_at=seen.at,
        source=seen.source,
        customer=owner_of(invoice),
        subscription=_subscription(invoice),
        status=status,
        number=invoice.maybe_text("number"),
        total=invoice.money("total", currency),
        tax=_tax(invoice, currency),
        paid=_paid(invoice, status, currency),
        lines=_lines(invoice, currency),
        issued_at=_issued_at(invoice, transitions),
        settled_at=transitions.maybe_moment("paid_at"),
        voided_at=transitions.maybe_moment("voided_at"),
        uncollectible_at=transitions.maybe_moment("marked_uncollectible_at"),
        failed_attempt=_attempt(invoice) if failed else None,
        next_attempt_at=invoice.maybe_moment("next_payment_attempt"),
    )
    return (fact, *_allocations(invoice, fact, seen))


def _attempt(invoice: Shape) -> int:
    attempt = invoice.maybe_whole("attempt_count") or 1
    if not 0 < attempt <= _MOST_ATTEMPTS:
        raise invoice.refusal("attempt_count", "is no number of attempts")
    return attempt


def read_invoice_payment(payment: Shape, seen: Observation) -> Reading:
    """A part of a payment that went to an invoice."""
    paid_by = payment.child("payment")
    source = paid_by.maybe_reference("payment_intent") or paid_by.maybe_reference("charge")
    if source is None and paid_by.text("type") == "payment_record":
        return Ignored("paid outside of the provider")
    if source is None:
        raise paid_by.refusal("type", "names no payment")
    amount = payment.money("amount_paid", payment.currency())
    return (_allocation(payment.reference("invoice"), source, amount, seen),)


def _allocation(invoice: str, payment: str, amount: Money, seen: Observation) -> AllocationFact:
    # Named by its two ends: older messages tell of the same allocation without an id of its own.
    return AllocationFact(
        account=seen.account,
        provider_id=f"{invoice}:{payment}",
        observed_at=seen.at,
        source=seen.source,
        invoice=invoice,
        payment=payment,
        amount=amount,
    )


def _allocations(invoice: Shape, fact: InvoiceFact, seen: Observation) -> tuple[Fact, ...]:
    """From the payments when they are listed, else from the one payment older invoices name."""
    listed = invoice.maybe_child("payments")
    if listed:
        found: list[Fact] = []
        for payment in listed.children("data"):
            if payment.text("status") == "paid":
                reading = read_invoice_payment(payment, seen)
                found += reading if isinstance(reading, tuple) else ()
        return tuple(found)
    payer = invoice.maybe_reference("payment_intent") or invoice.maybe_reference("charge")
    if payer is None or fact.status != "paid" or not fact.paid.amount:
        return ()
    return (_allocation(fact.provider_id, payer, fact.paid, seen),)


def _status(invoice: Shape) -> str:
    status = invoice.maybe_text("status")
    if status is None:  # before November 2018
        if invoice.flag("paid"):
            return "paid"
        if invoice.flag("forgiven"):
            return "uncollectible"
        raise invoice.refusal("status", "is missing")
    if status not in _STATUSES:
        raise invoice.refusal("status", f"{status!r} is not one we know")
    return status


def _subscription(invoice: Shape) -> str | None:
    if invoice.has("subscription"):
        return invoice.reference("subscription")
    parent = invoice.maybe_child("parent")
    details = parent.maybe_child("subscription_details") if parent else None
    return details.maybe_reference("subscription") if details else None


def _tax(invoice: Shape, currency: str) -> Money:
    """The tax inside the total; as a list since March 2025, before that as a sum and a list."""
    if invoice.has("tax"):
        return invoice.money("tax", currency)
    field = "total_taxes" if invoice.has("total_taxes") else "total_tax_amounts"
    return Money(sum(tax.whole("amount") for tax in invoice.children(field)), currency)


def _paid(invoice: Shape, status: str, currency: str) -> Money:
    if invoice.has("amount_paid"):
        return invoice.money("amount_paid", currency)
    return invoice.money("amount_due", currency) if status == "paid" else Money(0, currency)


def _issued_at(invoice: Shape, transitions: Shape) -> datetime | None:
    return transitions.maybe_moment("finalized_at") or invoice.maybe_moment("effective_at")


def _lines(invoice: Shape, currency: str) -> tuple[InvoiceLine, ...]:
    listed = invoice.child("lines")
    if listed.flag("has_more"):
        raise NeedsFetch("invoice", invoice.text("id"), "lines")
    return tuple(_line(line, currency) for line in listed.children("data"))


def _line(line: Shape, currency: str) -> InvoiceLine:
    spanned = line.maybe_child("period")
    return InvoiceLine(
        provider_id=line.text("id"),
        price_provider_id=_line_price(line),
        quantity=line.maybe_whole("quantity"),
        amount=line.money("amount", line.currency() if line.has("currency") else currency),
        period=spanned.period("start", "end") if spanned else None,
        proration=_is_proration(line),
    )


def _line_price(line: Shape) -> str | None:
    pricing = line.maybe_child("pricing")
    details = pricing.maybe_child("price_details") if pricing else None
    if details:
        return details.maybe_reference("price")
    return line.maybe_reference("price") or line.maybe_reference("plan")


def _is_proration(line: Shape) -> bool:
    parent = line.maybe_child("parent")
    if parent is None:
        return line.flag("proration")
    details = (
        parent.maybe_child("subscription_item_details"),
        parent.maybe_child("invoice_item_details"),
    )
    return any(detail.flag("proration") for detail in details if detail)
