"""Subscriptions: the agreement to pay again and again."""

from __future__ import annotations

from typing import Any, Final

from simulation.stripe import (
    collection,
    ending,
    events,
    invoice_items,
    items,
    pausing,
    renewal,
    subscription_changes,
    subscription_start,
)
from simulation.stripe.account import Account, Call
from simulation.stripe.errors import invalid_request
from simulation.stripe.metadata import assign
from simulation.stripe.paging import Page, listed
from simulation.stripe.payment_methods import demand_owned
from simulation.stripe.routing import LIST, Route
from simulation.stripe.store import Obj
from simulation.stripe.subscription_changes import Terms

_ITEMS: Final = "items[price] items[price_data] items[quantity] items[metadata]"
_STARTED_BY: Final = (
    "customer trial_end trial_period_days trial_from_plan trial_settings billing_cycle_anchor "
    "billing_cycle_anchor_config billing_mode[type] cancel_at cancel_at_period_end "
    "collection_method currency days_until_due default_payment_method description metadata "
    f"off_session payment_behavior proration_behavior {_ITEMS}"
)
_CHANGED_BY: Final = (
    "billing_cycle_anchor cancel_at cancel_at_period_end cancellation_details collection_method "
    "days_until_due default_payment_method description metadata off_session pause_collection "
    "payment_behavior proration_behavior proration_date trial_end trial_settings "
    f"{_ITEMS} items[id] items[deleted]"
)


def retrieve(account: Account, call: Call) -> Obj:
    return account.find("subscription", call.path["id"])


def update(account: Account, call: Call) -> Obj:
    subscription = account.find("subscription", call.path["id"])
    if subscription["status"] in ending.ENDED and set(call.params) - {
        "metadata",
        "cancellation_details",
        "expand",
    }:
        raise invalid_request(
            "A canceled subscription can only update its cancellation_details and metadata."
        )
    named = call.get("default_payment_method")
    if named:
        owner = account.store.one(subscription["customer"])
        demand_owned(account, named, owner, "default_payment_method")
    changes = items.asked(account, call.get("items", []), subscription)
    if changes and subscription["status"] == "incomplete":
        raise invalid_request(
            "This subscription cannot be updated until its first invoice is paid."
        )
    terms = Terms.of(call, account.now_of(subscription))
    assign(
        subscription,
        call.params,
        "collection_method days_until_due default_payment_method description",
    )
    _assign_nested(subscription, call)
    if call.given("pause_collection"):
        given = call.params["pause_collection"]
        subscription["pause_collection"] = pausing.collection_pause(given)
    if changes or terms.trial_end or terms.restarts:
        subscription_changes.change(account, subscription, changes, terms)
    _schedule_end(account, subscription, call)
    events.updated(account, subscription)
    return subscription


def cancel(account: Account, call: Call) -> Obj:
    subscription = account.find("subscription", call.path["id"])
    if subscription["status"] in ending.ENDED:
        raise invalid_request(
            f"No such subscription: '{subscription['id']}'", code="resource_missing", status=404
        )
    if call.get("prorate"):
        now = account.now_of(subscription)
        given_back = subscription_changes.unused(account, subscription, now)
        subscription_changes.pend(account, subscription, given_back)
    if call.get("invoice_now"):
        subscription_changes.bill_now(account, subscription, [])
    elif not call.get("prorate"):
        invoice_items.drop(account, subscription)
    details = {name: value or None for name, value in call.get("cancellation_details", {}).items()}
    ending.cancel(account, subscription, reason="cancellation_requested", details=details)
    return subscription


def pause(account: Account, call: Call) -> Obj:
    subscription = account.find("subscription", call.path["id"])
    if subscription["billing_mode"]["type"] != "flexible":
        raise invalid_request("Only subscriptions with flexible billing mode can be paused.")
    if subscription["status"] not in ("active", "past_due", "trialing", "unpaid"):
        raise invalid_request(f"A subscription that is {subscription['status']} cannot be paused.")
    since = call.get("bill_for", {}).get("unused_time_from", {}).get("type", "now")
    if since == "now" and subscription["status"] != "trialing":
        now = account.now_of(subscription)
        given_back = subscription_changes.unused(account, subscription, now)
        subscription_changes.pend(account, subscription, given_back)
        if call.get("invoicing_behavior") == "invoice":
            subscription_changes.bill_now(account, subscription, [])
    pausing.enter_pause(account, subscription, "pause_requested")
    return subscription


def resume(account: Account, call: Call) -> Obj:
    subscription = account.find("subscription", call.path["id"])
    if subscription["status"] != "paused":
        raise invalid_request(
            f"This subscription cannot be resumed because it is {subscription['status']}."
        )
    customer = account.store.one(subscription["customer"])
    method = collection.has_method(account, customer, subscription["default_payment_method"])
    refusal = collection.foreseen_refusal(method)
    if refusal and refusal.status != 402:
        raise refusal
    if call.get("payment_behavior") == "resume_on_payment_success" and refusal:
        raise refusal
    now = account.now_of(subscription)
    keeps = call.get("billing_cycle_anchor", {}).get("type") == "unchanged"
    if not keeps:
        subscription |= {"billing_cycle_anchor": now, "billing_cycle_anchor_config": None}
    renewal.begin_periods(account, subscription, now)
    pausing.leave_pause(account, subscription)
    charges = subscription_changes.rest_charges if keeps else subscription_changes.full_charges
    if not (keeps and call.get("proration_behavior") == "none"):
        subscription_changes.bill_now(account, subscription, charges(account, subscription))
    return subscription


def list_subscriptions(account: Account, call: Call) -> Page:
    """Without a status those that have not ended; `ended` and `all` are Stripe's own groups."""
    status, price = call.get("status"), call.get("price")
    customer, clock = call.get("customer"), call.get("test_clock")

    def keep(subscription: Obj) -> bool:
        ended = subscription["status"] in ending.ENDED
        fits = {None: not ended, "all": True, "ended": ended}
        if not fits.get(status, subscription["status"] == status):
            return False
        if not customer and subscription["test_clock"] != clock:
            return False
        own = items.of(account, subscription)
        return not price or any(item["price"] == price for item in own)

    found = (
        account.store.newest_under(customer, "subscription")
        if customer
        else (account.store.newest("subscription"))
    )
    return listed(account, call, found, keep, equal=("customer", "collection_method"))


def _assign_nested(subscription: Obj, call: Call) -> None:
    if call.get("trial_settings"):
        given = call.get("trial_settings").get("end_behavior", {})
        subscription["trial_settings"] = {
            "end_behavior": {
                "missing_payment_method": given.get("missing_payment_method", "create_invoice"),
            }
        }
    for name, value in call.get("cancellation_details", {}).items():
        subscription["cancellation_details"][name] = value or None


def _schedule_end(account: Account, subscription: Obj, call: Call) -> None:
    """Plan the end, or take the plan back."""
    if call.get("cancel_at_period_end") and call.get("cancel_at"):
        raise invalid_request("You may only specify one of: cancel_at, cancel_at_period_end.")
    asked: Any = None
    if call.given("cancel_at_period_end"):
        asked = "max_period_end" if call.get("cancel_at_period_end") else ""
        subscription["cancel_at_period_end"] = bool(asked)
    elif call.given("cancel_at"):
        asked = call.params["cancel_at"]
        subscription["cancel_at_period_end"] = False
    if asked is None:
        return
    if asked == "":
        subscription |= {"cancel_at": None, "canceled_at": None}
        subscription["cancellation_details"]["reason"] = None
        return
    ends: dict[Any, Any] = {"max_period_end": items.last_end, "min_period_end": items.next_end}
    at = ends[asked](account, subscription) if asked in ends else asked
    now = account.now_of(subscription)
    if at < now:
        raise invalid_request("cancel_at must be in the future.", param="cancel_at")
    subscription |= {"cancel_at": at, "canceled_at": now}
    subscription["cancellation_details"]["reason"] = "cancellation_requested"


ROUTES = (
    Route(
        "POST",
        "/v1/subscriptions",
        subscription_start.create,
        "SubscriptionCreateParams",
        _STARTED_BY,
    ),
    Route(
        "GET",
        "/v1/subscriptions",
        list_subscriptions,
        "SubscriptionListParams",
        f"{LIST} collection_method created customer price status test_clock",
    ),
    Route("GET", "/v1/subscriptions/{id}", retrieve, "SubscriptionRetrieveParams"),
    Route("POST", "/v1/subscriptions/{id}", update, "SubscriptionUpdateParams", _CHANGED_BY),
    Route(
        "DELETE",
        "/v1/subscriptions/{id}",
        cancel,
        "SubscriptionCancelParams",
        "cancellation_details invoice_now prorate",
    ),
    Route(
        "POST",
        "/v1/subscriptions/{id}/pause",
        pause,
        "SubscriptionPauseParams",
        "bill_for[unused_time_from] invoicing_behavior type",
    ),
    Route(
        "POST",
        "/v1/subscriptions/{id}/resume",
        resume,
        "SubscriptionResumeParams",
        "billing_cycle_anchor payment_behavior proration_behavior",
    ),
)
