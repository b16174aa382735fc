"""Changes to a running subscription's terms: items, trial and anchor, with what they cost."""

from __future__ import annotations

from dataclasses import dataclass

from simulation.stripe import billing, collection, events, invoice_items, items, lines, renewal
from simulation.stripe.account import Account, Call
from simulation.stripe.errors import invalid_request, not_simulated
from simulation.stripe.items import Change
from simulation.stripe.lines import Line
from simulation.stripe.store import Obj


@dataclass(frozen=True)
class Terms:
    """How a change is to be billed, and what else changes with it."""

    proration: str = "create_prorations"
    at: int = 0
    """The instant from which prorations count (unix seconds)."""
    trial_end: int | str | None = None
    restarts: bool = False
    """Whether the billing cycle begins anew."""
    strict: bool = False
    """Whether a refused payment refuses the change."""

    @classmethod
    def of(cls, call: Call, now: int) -> Terms:
        behavior = call.get("payment_behavior", "allow_incomplete")
        if behavior == "pending_if_incomplete":
            raise not_simulated("payment_behavior")
        return cls(
            call.get("proration_behavior", "create_prorations"),
            call.get("proration_date", now),
            call.get("trial_end"),
            call.get("billing_cycle_anchor", {}).get("type") == "now",
            behavior == "error_if_incomplete",
        )


def change(account: Account, subscription: Obj, changes: list[Change], terms: Terms) -> None:
    """Make the changes true and bill them; the subscription's own event is the caller's to tell."""
    altered = [each for each in changes if each.alters_terms]
    now = account.now_of(subscription)
    if isinstance(terms.trial_end, int):
        _extend_trial(account, subscription, changes, terms.trial_end)
    elif subscription["status"] == "trialing" and (terms.trial_end == "now" or terms.restarts):
        _demand_means(account, subscription, terms)
        subscription["trial_end"] = now
        _restart(account, subscription, changes, [])
    elif subscription["status"] == "trialing" or (not altered and not terms.restarts):
        _apply(account, subscription, changes)
    elif terms.restarts or _begins_anew(account, subscription, altered):
        _demand_means(account, subscription, terms)
        _restart(account, subscription, changes, _credits(account, subscription, terms))
    else:
        _within_period(account, subscription, changes, altered, terms)


def _within_period(
    account: Account, subscription: Obj, changes: list[Change], altered: list[Change], terms: Terms
) -> None:
    """Same cycle, other terms: give back the rest of the old, charge the rest of the new."""
    if terms.proration == "always_invoice":
        _demand_means(account, subscription, terms)
    shares: list[Line] = []
    for each in altered:
        if each.item:
            whole = _whole_period(account, subscription, each.item)
            shares.append(lines.for_rest(account, each.item, terms.at, whole, credit=True))
        item = items.apply(account, subscription, each)
        if each.item is None:
            cycle = items.cycle(account, subscription, each.price)
            items.set_period(item, terms.at, cycle.period_at(terms.at)[1])
        if not each.removed:
            whole = _whole_period(account, subscription, item)
            shares.append(lines.for_rest(account, item, terms.at, whole))
    _apply(account, subscription, [each for each in changes if not each.alters_terms])
    if terms.proration == "none":
        return
    pend(account, subscription, shares)
    if terms.proration == "always_invoice":
        bill_now(account, subscription, [])


def _restart(
    account: Account, subscription: Obj, changes: list[Change], given_back: list[Line]
) -> None:
    """Begin the billing cycle anew and bill it at once."""
    now = account.now_of(subscription)
    _apply(account, subscription, changes)
    subscription |= {
        "billing_cycle_anchor": now,
        "billing_cycle_anchor_config": None,
        "status": "active" if subscription["status"] == "trialing" else subscription["status"],
    }
    renewal.begin_periods(account, subscription, now)
    bill_now(account, subscription, [*given_back, *full_charges(account, subscription)])


def _extend_trial(
    account: Account, subscription: Obj, changes: list[Change], trial_end: int
) -> None:
    """Give a free time from now on; what follows hangs on its end."""
    now = account.now_of(subscription)
    if trial_end <= now:
        raise invalid_request("Invalid timestamp: must be in the future.", param="trial_end")
    _apply(account, subscription, changes)
    was_trialing = subscription["status"] == "trialing"
    subscription |= {
        "billing_cycle_anchor": trial_end,
        "billing_cycle_anchor_config": None,
        "status": "trialing",
        "trial_end": trial_end,
        "trial_start": subscription["trial_start"] if was_trialing else now,
        "_trial_notified": False,
    }
    for item in items.of(account, subscription):
        start = item["current_period_start"] if was_trialing else now
        items.set_period(item, start, trial_end)
    if not was_trialing:
        free = [
            lines.for_trial(account, item, now, trial_end)
            for item in items.of(account, subscription)
        ]
        bill_now(account, subscription, free)


def full_charges(account: Account, subscription: Obj) -> list[Line]:
    """One whole period of every item."""
    return [
        lines.for_period(account, item, item["current_period_start"], item["current_period_end"])
        for item in items.of(account, subscription)
    ]


def rest_charges(account: Account, subscription: Obj) -> list[Line]:
    """What is left of the running period of every item."""
    now = account.now_of(subscription)
    return [
        lines.for_rest(account, item, now, _whole_period(account, subscription, item))
        for item in items.of(account, subscription)
    ]


def pend(account: Account, subscription: Obj, shares: list[Line]) -> None:
    """Leave lines for the next invoice."""
    customer = account.store.one(subscription["customer"])
    for share in shares:
        if share.amount:
            invoice_items.pend(account, customer, share)


def bill_now(account: Account, subscription: Obj, charges: list[Line]) -> None:
    """An invoice for a change, final and collected at once."""
    customer = account.store.one(subscription["customer"])
    reason = "subscription_update"
    invoice = billing.draft(account, customer, reason, charges, subscription=subscription)
    events.updated(account, subscription)
    events.created(account, invoice)
    collection.issue(account, invoice)


def unused(account: Account, subscription: Obj, at: int) -> list[Line]:
    """What was paid for and will not be used after an instant, as credits."""
    return [
        lines.for_rest(account, item, at, _whole_period(account, subscription, item), credit=True)
        for item in items.of(account, subscription)
        if item["current_period_end"] > at
    ]


def _credits(account: Account, subscription: Obj, terms: Terms) -> list[Line]:
    if terms.proration == "none":
        return []
    return [line for line in unused(account, subscription, terms.at) if line.amount]


def _whole_period(account: Account, subscription: Obj, item: Obj) -> tuple[int, int]:
    """The full period of the cycle in which an item stands, however late the item came."""
    end = item["current_period_end"]
    start, _ = items.cycle(account, subscription, item["price"]).period_at(end - 1)
    return start, end


def _begins_anew(account: Account, subscription: Obj, altered: list[Change]) -> bool:
    """Another rhythm, or the first price after a free one, starts a new cycle."""
    for each in altered:
        if each.item is None or each.removed:
            continue
        old = account.store.one(each.item["price"])
        rhythm = ("interval", "interval_count")
        if any(old["recurring"][name] != each.price["recurring"][name] for name in rhythm):
            return True
        if not old["unit_amount"] and each.price["unit_amount"]:
            return True
    return False


def _apply(account: Account, subscription: Obj, changes: list[Change]) -> None:
    now = account.now_of(subscription)
    for each in changes:
        item = items.apply(account, subscription, each)
        if each.item is None:
            end = items.cycle(account, subscription, each.price).period_at(now)[1]
            trialing = subscription["status"] == "trialing"
            items.set_period(item, now, subscription["trial_end"] if trialing else end)


def _demand_means(account: Account, subscription: Obj, terms: Terms) -> None:
    if not terms.strict or subscription["collection_method"] == "send_invoice":
        return
    customer = account.store.one(subscription["customer"])
    method = collection.has_method(account, customer, subscription["default_payment_method"])
    refusal = collection.foreseen_refusal(method)
    if refusal:
        raise refusal
