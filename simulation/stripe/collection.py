"""Collection: trying to get an invoice paid, and what follows when it is or is not."""

from __future__ import annotations

from simulation.stripe import billing, cards, dunning, events, invoice_endings, payments
from simulation.stripe.account import Account
from simulation.stripe.agenda import Step
from simulation.stripe.ending import stop_collecting
from simulation.stripe.errors import StripeError, card_declined, invalid_request
from simulation.stripe.store import Obj


def issue(account: Account, invoice: Obj, *, collect: bool = True) -> StripeError | None:
    """Finalize a draft and, unless it is mailed or waits for its customer, collect it."""
    billing.finalize(account, invoice)
    if invoice["amount_due"] == 0:
        settle(account, invoice)
        return None
    if invoice["collection_method"] == "send_invoice":
        events.record(account, "invoice.sent", invoice)
        return None
    return attempt(account, invoice) if collect else None


def attempt(
    account: Account, invoice: Obj, method: Obj | None = None, *, authenticated: bool = False
) -> StripeError | None:
    """Try an invoice once; the refusal is returned, not raised."""
    method = method or paying_method(account, invoice)
    intent = payments.intent_of(account, invoice)
    invoice["attempt_count"] += 1
    invoice["attempted"] = True
    if method is None:
        refusal: StripeError | None = no_payment_method()
    else:
        assert intent is not None
        refusal = payments.charge(account, intent, method, authenticated=authenticated)
    if refusal is None:
        settle(account, invoice)
        return None
    dunning.plan_next_attempt(account, invoice)
    events.updated(account, invoice)
    if intent and intent["status"] == "requires_action":
        events.record(account, "invoice.payment_action_required", invoice)
    events.record(account, "invoice.payment_failed", invoice)
    dunning.after_failure(account, invoice)
    return refusal


def settle(account: Account, invoice: Obj, *, out_of_band: bool = False) -> None:
    """An invoice is paid: with money, with balance, or outside Stripe."""
    if invoice["amount_due"] and not out_of_band:
        payments.settle_allocation(account, invoice)
    elif out_of_band:
        payments.cancel_intent(account, invoice, "automatic")
    invoice |= {
        "status": "paid",
        "attempted": True,
        "amount_paid": invoice["amount_due"],
        "amount_remaining": 0,
        "auto_advance": False,
        "next_payment_attempt": None,
    }
    invoice["status_transitions"]["paid_at"] = account.now_of(invoice)
    events.updated(account, invoice)
    events.record(account, "invoice.paid", invoice)
    events.record(account, "invoice.payment_succeeded", invoice)
    dunning.after_success(account, invoice)


def paying_method(account: Account, invoice: Obj) -> Obj | None:
    """The card an invoice is collected from: its own, its subscription's, its customer's."""
    owner = account.store.one(invoice["customer"])
    subscribed = invoice["_subscription"]
    subscription = account.store.one(subscribed) if subscribed else {}
    return _first_attached(
        account,
        owner,
        invoice["default_payment_method"],
        subscription.get("default_payment_method"),
        owner["invoice_settings"]["default_payment_method"],
    )


def has_method(account: Account, customer: Obj, subscription_method: str | None) -> Obj | None:
    """The card that a subscription of this customer would be collected from."""
    default = customer["invoice_settings"]["default_payment_method"]
    return _first_attached(account, customer, subscription_method, default)


def foreseen_refusal(method: Obj | None) -> StripeError | None:
    """What a charge of this card would answer, without trying it."""
    if method is None:
        return no_payment_method()
    outcome = method["_charge"]
    return None if outcome == cards.APPROVED else card_declined(outcome, cards.MESSAGES[outcome])


def no_payment_method() -> StripeError:
    return invalid_request(
        "This customer has no attached payment source or default payment method. Please consider "
        "adding a default payment method.",
        code="resource_missing",
    )


def steps(account: Account, invoice: Obj) -> list[Step]:
    """What will happen to an invoice by itself."""
    due: list[Step] = []
    if invoice["status"] == "draft" and invoice["auto_advance"]:
        due.append(Step(invoice["automatically_finalizes_at"], _advance_draft))
    if invoice["status"] == "open" and invoice["next_payment_attempt"]:
        due.append(Step(invoice["next_payment_attempt"], _retry))
    if invoice["status"] == "open" and invoice["due_date"] and not invoice.get("_overdue"):
        due.append(Step(invoice["due_date"], _overdue))
    return due


def _advance_draft(account: Account, invoice: Obj) -> None:
    paused = (
        invoice["_subscription"] and account.store.one(invoice["_subscription"])["pause_collection"]
    )
    if not paused:
        issue(account, invoice)
        return
    if paused["behavior"] == "keep_as_draft":
        stop_collecting(account, invoice)
        return
    billing.finalize(account, invoice)
    if paused["behavior"] == "void":
        invoice_endings.void(account, invoice)
    else:
        invoice_endings.mark_uncollectible(account, invoice, "subscription_paused")


def _retry(account: Account, invoice: Obj) -> None:
    attempt(account, invoice)


def _overdue(account: Account, invoice: Obj) -> None:
    invoice["_overdue"] = True
    events.record(account, "invoice.overdue", invoice)
    dunning.after_failure(account, invoice)


def _first_attached(account: Account, owner: Obj, *candidates: str | None) -> Obj | None:
    for identifier in candidates:
        method = account.store.get(identifier) if identifier else None
        if method and method["customer"] == owner["id"]:
            return method
    return None
