"""Stripe's subscriptions and their items."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from ledger.events.subscription import ENDED_STATUSES, SubscriptionStatus
from ledger.facts import Fact, ItemFact, PriceFact, SubscriptionFact
from providers.port import NeedsFetch
from providers.stripe.normalise.catalog import is_metered, price_fact
from providers.stripe.normalise.customer import owner_of
from providers.stripe.normalise.shape import Observation, Shape

_STATUSES: Final = {status.value: status for status in SubscriptionStatus}


def read_subscription(subscription: Shape, seen: Observation) -> tuple[Fact, ...]:
    """The subscription, after the prices it is on: they may never have been heard of."""
    provider_id = subscription.text("id")
    listed = subscription.child("items")
    if listed.flag("has_more"):
        raise NeedsFetch("subscription", provider_id, "items")
    prices: dict[str, PriceFact] = {}
    items: list[ItemFact] = []
    for item in listed.children("data"):
        price = _price_of(item)
        fact = price_fact(price, seen)
        prices.setdefault(fact.provider_id, fact)
        items.append(_item(item, price, fact, subscription))
    status = _status(subscription, seen)
    cancels = subscription.flag("cancel_at_period_end")
    fact_of_subscription = SubscriptionFact(
        account=seen.account,
        provider_id=provider_id,
        observed_at=seen.at,
        source=seen.source,
        customer=owner_of(subscription),
        status=status,
        items=tuple(items),
        started_at=_started_at(subscription),
        trial_end=subscription.maybe_moment("trial_end"),
        cancel_at=subscription.maybe_moment("cancel_at") or (_last_end(items) if cancels else None),
        cancel_at_period_end=cancels,
        ended_at=subscription.maybe_moment("ended_at"),
        end_reason=_end_reason(subscription) if status in ENDED_STATUSES else None,
        pause_reason=_pause_reason(subscription) if status is SubscriptionStatus.PAUSED else None,
        collection_paused=subscription.maybe_child("pause_collection") is not None,
        first=seen.occasion == "created",
    )
    return (*prices.values(), fact_of_subscription)


def _status(subscription: Shape, seen: Observation) -> SubscriptionStatus:
    name = subscription.text("status")
    if name not in _STATUSES:
        raise subscription.refusal("status", f"{name!r} is not one we know")
    status = _STATUSES[name]
    # A deletion is the end, whatever else its snapshot says.
    if seen.occasion == "deleted" and status not in ENDED_STATUSES:
        return SubscriptionStatus.CANCELED
    return status


def _price_of(item: Shape) -> Shape:
    """An item's price in full; before 2020 it was a plan, for years it was both."""
    return item.child("price" if item.is_expanded("price") or not item.has("plan") else "plan")


def _item(item: Shape, price: Shape, fact: PriceFact, subscription: Shape) -> ItemFact:
    quantity = item.maybe_whole("quantity")
    if quantity is None:
        quantity = 0 if is_metered(price) else 1
    if quantity < 0:
        raise item.refusal("quantity", "is negative")
    # Periods moved from the subscription to its items in March 2025.
    dated = item if item.has("current_period_end") else subscription
    return ItemFact(
        provider_id=item.text("id"),
        price=fact.provider_id,
        product=fact.product,
        amount=fact.amount,
        interval=fact.interval,
        quantity=quantity,
        period=dated.period("current_period_start", "current_period_end"),
    )


def _started_at(subscription: Shape) -> datetime:
    for field in ("start_date", "created"):
        if subscription.has(field):
            return subscription.moment(field)
    return subscription.moment("start")


def _last_end(items: list[ItemFact]) -> datetime | None:
    """Where a cancel at the period's end leads; Stripe did not always say it in `cancel_at`."""
    return max((item.period.end for item in items if item.period), default=None)


def _end_reason(subscription: Shape) -> str | None:
    details = subscription.maybe_child("cancellation_details")
    return details.maybe_text("reason") if details else None


def _pause_reason(subscription: Shape) -> str | None:
    details = subscription.maybe_child("status_details")
    paused = details.maybe_child("paused") if details else None
    cause = paused.maybe_child("subscription") if paused else None
    return cause.maybe_text("type") if cause else None
