"""The items of a subscription as a resource of their own."""

from __future__ import annotations

from typing import Any, Final

from simulation.stripe import events, items, subscription_changes
from simulation.stripe.account import Account, Call
from simulation.stripe.paging import Page, listed
from simulation.stripe.routing import LIST, Route
from simulation.stripe.store import Obj
from simulation.stripe.subscription_changes import Terms

_CHANGED_BY: Final = (
    "metadata payment_behavior price price_data proration_behavior proration_date quantity"
)


def create(account: Account, call: Call) -> Obj:
    subscription = account.find("subscription", call.params["subscription"], param="subscription")
    known = {item["id"] for item in items.of(account, subscription)}
    _change(account, call, subscription, {})
    return next(item for item in items.of(account, subscription) if item["id"] not in known)


def retrieve(account: Account, call: Call) -> Obj:
    return account.find("subscription_item", call.path["id"])


def update(account: Account, call: Call) -> Obj:
    item = account.find("subscription_item", call.path["id"])
    subscription = account.store.one(item["subscription"])
    _change(account, call, subscription, {"id": item["id"]})
    return item


def delete(account: Account, call: Call) -> Obj:
    item = account.find("subscription_item", call.path["id"])
    subscription = account.store.one(item["subscription"])
    _change(account, call, subscription, {"id": item["id"], "deleted": True})
    return item


def list_items(account: Account, call: Call) -> Page:
    subscription = account.find("subscription", call.params["subscription"], param="subscription")
    found = account.store.newest_under(subscription["id"], "subscription_item")
    return listed(account, call, found)


def _change(account: Account, call: Call, subscription: Obj, entry: dict[str, Any]) -> None:
    asked = ("price", "price_data", "quantity", "metadata")
    entry = entry | {name: call.params[name] for name in asked if name in call.params}
    changes = items.asked(account, [entry], subscription)
    terms = Terms.of(call, account.now_of(subscription))
    subscription_changes.change(account, subscription, changes, terms)
    events.updated(account, subscription)


ROUTES = (
    Route(
        "POST",
        "/v1/subscription_items",
        create,
        "SubscriptionItemCreateParams",
        f"subscription {_CHANGED_BY}",
    ),
    Route(
        "GET",
        "/v1/subscription_items",
        list_items,
        "SubscriptionItemListParams",
        f"{LIST} subscription",
    ),
    Route("GET", "/v1/subscription_items/{id}", retrieve, "SubscriptionItemRetrieveParams"),
    Route(
        "POST",
        "/v1/subscription_items/{id}",
        update,
        "SubscriptionItemUpdateParams",
        f"off_session {_CHANGED_BY}",
    ),
    Route(
        "DELETE",
        "/v1/subscription_items/{id}",
        delete,
        "SubscriptionItemDeleteParams",
        "payment_behavior proration_behavior proration_date",
    ),
)
