"""The start of a subscription: its terms, its first periods, its first invoice."""

from __future__ import annotations

from typing import Any, Final

from simulation.stripe import billing, collection, events, items, lines, renewal
from simulation.stripe.account import Account, Call
from simulation.stripe.cycles import DAY, next_day_of_month
from simulation.stripe.errors import invalid_request, missing_parameter
from simulation.stripe.lines import Line
from simulation.stripe.metadata import merged
from simulation.stripe.payment_methods import demand_owned
from simulation.stripe.store import Obj


def create(account: Account, call: Call) -> Obj:
    if not call.get("customer"):
        raise missing_parameter("customer")
    customer = account.find("customer", call.params["customer"], param="customer")
    changes = items.asked(account, call.get("items", []), None)
    if not changes:
        raise missing_parameter("items")
    currency = changes[0].price["currency"]
    if customer["currency"] not in (None, currency):
        raise invalid_request("You cannot combine currencies on a single customer.")
    now = account.now_of(customer)
    trial_end = _trial_end(call, changes, now)
    anchor = _anchor(account, call, changes, now, trial_end)
    due = 0 if trial_end else sum(change.amount for change in changes)
    _demand_means(account, call, customer, due)
    subscription = _blank(account, call, customer, currency, now)
    subscription |= {"billing_cycle_anchor": anchor, "trial_end": trial_end}
    subscription["trial_start"] = now if trial_end else None
    subscription["status"] = _first_status(call, trial_end, due)
    account.store.add(subscription, under=(customer["id"],))
    for change in changes:
        items.create(account, subscription, change)
    _schedule_end(account, subscription, call)
    _bill(account, call, customer, subscription)
    return subscription


def _bill(account: Account, call: Call, customer: Obj, subscription: Obj) -> None:
    """The first invoice: free for a trial, a share up to a later anchor, or one whole period."""
    charges = _first_charges(account, call, subscription)
    mailed = subscription["collection_method"] == "send_invoice"
    invoice = billing.draft(
        account,
        customer,
        "subscription_create",
        charges,
        subscription=subscription,
        include_pending=False,
    )
    events.created(account, subscription)
    events.created(account, invoice)
    _warn_of_short_trial(account, subscription)
    if mailed and invoice["amount_due"]:
        return
    waits = call.get("payment_behavior") == "default_incomplete"
    collection.issue(account, invoice, collect=not waits)


def _first_charges(account: Account, call: Call, subscription: Obj) -> list[Line]:
    now, trial_end = subscription["created"], subscription["trial_end"]
    charges = []
    for item in items.of(account, subscription):
        if trial_end:
            items.set_period(item, now, trial_end)
            charges.append(lines.for_trial(account, item, now, trial_end))
            continue
        start, end = items.cycle(account, subscription, item["price"]).period_at(now)
        items.set_period(item, now, end)
        if start == now:
            charges.append(lines.for_period(account, item, start, end))
        elif call.get("proration_behavior") != "none":
            charges.append(lines.for_rest(account, item, now, (start, end)))
    return charges


def _warn_of_short_trial(account: Account, subscription: Obj) -> None:
    if subscription["status"] != "trialing":
        return
    if subscription["trial_end"] - subscription["created"] <= renewal.TRIAL_NOTICE:
        renewal.notify_trial_end(account, subscription)


def _trial_end(call: Call, changes: list[items.Change], now: int) -> int | None:
    asked, days = call.get("trial_end"), call.get("trial_period_days")
    if asked and days:
        raise invalid_request("You may only specify one of: trial_end, trial_period_days.")
    if call.get("trial_from_plan"):
        days = max((c.price["recurring"]["trial_period_days"] or 0 for c in changes), default=0)
    if days:
        return int(now + days * DAY)
    if asked in (None, "now"):
        return None
    if asked <= now:
        raise invalid_request(
            "Invalid timestamp: must be an integer Unix timestamp in the future.",
            param="trial_end",
        )
    return int(asked)


def _anchor(
    account: Account, call: Call, changes: list[items.Change], now: int, trial_end: int | None
) -> int:
    config = call.get("billing_cycle_anchor_config")
    if config:
        return next_day_of_month(trial_end or now, config)
    asked = call.get("billing_cycle_anchor")
    if asked is None:
        return trial_end or now
    if asked <= now:
        raise invalid_request(
            "billing_cycle_anchor must be a timestamp in the future.",
            param="billing_cycle_anchor",
        )
    trial = {"billing_cycle_anchor": now, "billing_cycle_anchor_config": None}
    natural = min(items.cycle(account, trial, c.price).boundary(1) for c in changes)
    if asked > natural:
        raise invalid_request(
            "billing_cycle_anchor cannot be later than next natural billing date "
            f"({natural}) for plan.",
            param="billing_cycle_anchor",
        )
    return int(asked)


def _demand_means(account: Account, call: Call, customer: Obj, due: int) -> None:
    """Refuse what could not be paid, when the caller would rather have nothing."""
    named = call.get("default_payment_method")
    if named:
        demand_owned(account, named, customer, "default_payment_method")
    behavior = call.get("payment_behavior", "allow_incomplete")
    mailed = call.get("collection_method") == "send_invoice"
    if mailed and not call.get("days_until_due"):
        raise missing_parameter("days_until_due")
    if mailed or due == 0 or behavior == "default_incomplete":
        return
    refusal = collection.foreseen_refusal(collection.has_method(account, customer, named))
    if refusal and (refusal.status != 402 or behavior == "error_if_incomplete"):
        raise refusal


def _first_status(call: Call, trial_end: int | None, due: int) -> str:
    if trial_end:
        return "trialing"
    mailed = call.get("collection_method") == "send_invoice"
    return "active" if due == 0 or mailed else "incomplete"


def _schedule_end(account: Account, subscription: Obj, call: Call) -> None:
    if call.get("cancel_at_period_end"):
        subscription["cancel_at_period_end"] = True
    elif call.get("cancel_at"):
        subscription["cancel_at"] = call.get("cancel_at")
    else:
        return
    subscription["canceled_at"] = subscription["created"]
    subscription["cancellation_details"]["reason"] = "cancellation_requested"


_EMPTY: Final = (
    "application application_fee_percent billing_thresholds cancel_at canceled_at "
    "customer_account default_source ended_at latest_invoice "
    "next_pending_invoice_item_invoice on_behalf_of pause_collection "
    "pending_invoice_item_interval pending_setup_intent pending_update schedule "
    "status_details transfer_data trial_end trial_start _announced"
).split()
"""What a new subscription leaves unset."""


def _blank(account: Account, call: Call, customer: Obj, currency: str, now: int) -> Obj:
    given: dict[str, Any] = call.get("trial_settings", {}).get("end_behavior", {})
    config = call.get("billing_cycle_anchor_config")
    config_names = ("day_of_month", "hour", "minute", "month", "second")
    return {
        **dict.fromkeys(_EMPTY),
        "id": account.ids.new("sub"),
        "object": "subscription",
        "automatic_tax": {"disabled_reason": None, "enabled": False, "liability": None},
        "billing_cycle_anchor": now,
        "billing_cycle_anchor_config": config and {name: config.get(name) for name in config_names},
        "billing_mode": _billing_mode(call, now),
        "billing_schedules": [],
        "cancel_at_period_end": False,
        "cancellation_details": {"comment": None, "feedback": None, "reason": None},
        "collection_method": call.get("collection_method", "charge_automatically"),
        "created": now,
        "currency": currency,
        "customer": customer["id"],
        "days_until_due": call.get("days_until_due"),
        "default_payment_method": call.get("default_payment_method"),
        "default_tax_rates": [],
        "description": call.get("description"),
        "discounts": [],
        "invoice_settings": {
            "account_tax_ids": None,
            "custom_fields": None,
            "description": None,
            "footer": None,
            "issuer": {"type": "self"},
        },
        "livemode": False,
        "metadata": merged({}, call.get("metadata")),
        "payment_settings": {
            "payment_method_options": None,
            "payment_method_types": None,
            "save_default_payment_method": "off",
        },
        "start_date": now,
        "status": "incomplete",
        "test_clock": customer["test_clock"],
        "trial_settings": {
            "end_behavior": {
                "missing_payment_method": given.get("missing_payment_method", "create_invoice")
            }
        },
        "_trial_notified": False,
    }


def _billing_mode(call: Call, now: int) -> dict[str, Any]:
    kind = call.get("billing_mode", {}).get("type", "flexible")
    if kind == "classic":
        return {"type": "classic", "flexible": None}
    return {
        "type": "flexible",
        "flexible": {"proration_discounts": "included"},
        "updated_at": now,
    }
