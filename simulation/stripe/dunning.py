"""Dunning: the tries that follow a failed collection, and what they mean for the subscription."""

from __future__ import annotations

from typing import Final

from simulation.stripe import ending, events, pausing
from simulation.stripe.account import Account
from simulation.stripe.store import Obj

_COLLECTED: Final = frozenset({"active", "trialing", "past_due"})
_FINAL: Final = frozenset({"open", "paid", "uncollectible"})


def plan_next_attempt(account: Account, invoice: Obj) -> None:
    """Set when an invoice that was just refused is tried again, if it is."""
    tries = account.habits.retry_after
    made = invoice["attempt_count"]
    again = invoice["auto_advance"] and made <= len(tries) and _is_collected(account, invoice)
    now = account.now_of(invoice)
    invoice["next_payment_attempt"] = now + tries[made - 1] if again else None


def after_failure(account: Account, invoice: Obj) -> None:
    """What a refused or overdue invoice does to its customer and its subscription."""
    _mark_delinquent(account, invoice)
    subscription = _subscription(account, invoice)
    if subscription is None or subscription["status"] not in _COLLECTED:
        return
    if invoice["next_payment_attempt"] or invoice["attempt_count"] <= len(
        account.habits.retry_after
    ):
        _become(account, subscription, "past_due")
    else:
        _give_up(account, subscription)


def after_success(account: Account, invoice: Obj) -> None:
    """What a paid, voided or given-up invoice does to its customer and its subscription."""
    _mark_delinquent(account, invoice)
    subscription = _subscription(account, invoice)
    if subscription is None:
        return
    status = subscription["status"]
    paid = invoice["status"] == "paid"
    if (paid and status == "incomplete" and invoice["billing_reason"] == "subscription_create") or (
        status in ("past_due", "unpaid") and _latest_is_settled(account, subscription)
    ):
        _become(account, subscription, "active")


def _give_up(account: Account, subscription: Obj) -> None:
    final = account.habits.after_last_retry
    if final == "cancel":
        ending.cancel(account, subscription, reason="payment_failed")
    elif final == "pause" and subscription["billing_mode"]["type"] == "flexible":
        pausing.enter_pause(account, subscription, "final_payment_failure")
    else:
        _become(account, subscription, "unpaid" if final == "unpaid" else "past_due")


def _become(account: Account, subscription: Obj, status: str) -> None:
    subscription["status"] = status
    events.updated(account, subscription)


def _is_collected(account: Account, invoice: Obj) -> bool:
    subscription = _subscription(account, invoice)
    return subscription is None or subscription["status"] in _COLLECTED


def _latest_is_settled(account: Account, subscription: Obj) -> bool:
    """Stripe looks at the newest final invoice only; older debts do not count."""
    for invoice in account.store.newest_under(subscription["id"], "invoice"):
        if invoice["status"] in _FINAL:
            return bool(invoice["status"] != "open")
    return True


def _mark_delinquent(account: Account, invoice: Obj) -> None:
    customer = account.store.one(invoice["customer"])
    owing = any(
        each["status"] == "open" and (each["attempted"] or each.get("_overdue"))
        for each in account.store.under(customer["id"], "invoice")
    )
    customer["delinquent"] = owing
    events.updated(account, customer)


def _subscription(account: Account, invoice: Obj) -> Obj | None:
    identifier = invoice["_subscription"]
    return account.store.one(identifier) if identifier else None
