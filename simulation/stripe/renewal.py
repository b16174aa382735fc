"""Renewal: what a subscription does by itself as time passes."""

from __future__ import annotations

from typing import Final

from simulation.stripe import (
    billing,
    collection,
    ending,
    events,
    invoice_endings,
    items,
    lines,
    pausing,
)
from simulation.stripe.account import Account
from simulation.stripe.agenda import Step
from simulation.stripe.cycles import DAY, HOUR
from simulation.stripe.store import Obj

INCOMPLETE_FOR: Final = 23 * HOUR
"""Seconds in which the first invoice must be paid."""
TRIAL_NOTICE: Final = 3 * DAY
_RENEWING: Final = frozenset({"active", "past_due", "unpaid"})


def steps(account: Account, subscription: Obj) -> list[Step]:
    """What will happen to a subscription by itself; on equal instants the first in this list."""
    status = subscription["status"]
    if status in ending.ENDED:
        return []
    due: list[Step] = []
    paused = subscription["pause_collection"]
    if paused and paused["resumes_at"]:
        due.append(Step(paused["resumes_at"], _resume_collection))
    if status == "incomplete":
        due.append(Step(subscription["created"] + INCOMPLETE_FOR, _expire))
    if subscription["cancel_at"]:
        due.append(Step(subscription["cancel_at"], _cancel_as_scheduled))
    if status == "trialing":
        if not subscription["_trial_notified"]:
            due.append(Step(subscription["trial_end"] - TRIAL_NOTICE, notify_trial_end))
        due.append(Step(subscription["trial_end"], _end_trial))
    if status in _RENEWING:
        end = items.next_end(account, subscription)
        due.append(Step(end, _renew))
        if _is_worth_announcing(account, subscription, end):
            due.append(Step(end - account.habits.upcoming_notice, _announce))
    return due


def notify_trial_end(account: Account, subscription: Obj) -> None:
    subscription["_trial_notified"] = True
    events.record(account, "customer.subscription.trial_will_end", subscription)


def begin_periods(account: Account, subscription: Obj, now: int) -> None:
    """Give every item the period that holds this instant."""
    for item in items.of(account, subscription):
        items.set_period(item, *items.cycle(account, subscription, item["price"]).period_at(now))


def _renew(account: Account, subscription: Obj) -> None:
    """Move the items whose period is over into the next one, and draft its invoice."""
    now = account.now_of(subscription)
    charges = []
    ended = [each for each in items.of(account, subscription) if each["current_period_end"] <= now]
    span = (min(each["current_period_start"] for each in ended), now)
    for item in ended:
        start, end = items.cycle(account, subscription, item["price"]).period_at(now)
        items.set_period(item, start, end)
        charges.append(lines.for_period(account, item, start, end))
    invoice = billing.draft(
        account,
        account.store.one(subscription["customer"]),
        "subscription_cycle",
        charges,
        subscription=subscription,
        period=span,
        auto_advance=subscription["status"] != "unpaid",
    )
    events.updated(account, subscription)
    events.created(account, invoice)


def _end_trial(account: Account, subscription: Obj) -> None:
    """The trial is over: bill the first paid period, or do what was agreed without a card."""
    customer = account.store.one(subscription["customer"])
    method = collection.has_method(account, customer, subscription["default_payment_method"])
    agreed = subscription["trial_settings"]["end_behavior"]["missing_payment_method"]
    automatic = subscription["collection_method"] == "charge_automatically"
    if automatic and method is None and agreed == "cancel":
        ending.cancel(account, subscription, reason=None)
        return
    if automatic and method is None and agreed == "pause":
        pausing.enter_pause(account, subscription, "trial_end_without_payment_method")
        return
    subscription["status"] = "active"
    _renew(account, subscription)


def _cancel_as_scheduled(account: Account, subscription: Obj) -> None:
    reason = subscription["cancellation_details"]["reason"]
    ending.cancel(account, subscription, reason=reason)


def _expire(account: Account, subscription: Obj) -> None:
    now = account.now_of(subscription)
    subscription |= {"status": "incomplete_expired", "ended_at": now}
    for invoice in account.store.under(subscription["id"], "invoice"):
        if invoice["status"] == "open":
            invoice_endings.void(account, invoice)
    events.updated(account, subscription)


def _resume_collection(account: Account, subscription: Obj) -> None:
    subscription["pause_collection"] = None
    events.updated(account, subscription)


def _is_worth_announcing(account: Account, subscription: Obj, end: int) -> bool:
    leaves = subscription["cancel_at"] is not None and subscription["cancel_at"] <= end
    started = min(each["current_period_start"] for each in items.of(account, subscription))
    is_long = end - account.habits.upcoming_notice > started
    return is_long and not leaves and subscription["_announced"] != end


def _announce(account: Account, subscription: Obj) -> None:
    end = items.next_end(account, subscription)
    subscription["_announced"] = end
    charges = [
        lines.for_period(
            account, item, *items.cycle(account, subscription, item["price"]).period_at(end)
        )
        for item in items.of(account, subscription)
        if item["current_period_end"] == end
    ]
    customer = account.store.one(subscription["customer"])
    billing.tell_upcoming(account, customer, subscription, charges)
