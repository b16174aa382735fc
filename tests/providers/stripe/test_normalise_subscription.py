"""Subscriptions in every shape they have had: the same agreement gives the same fact."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from ledger.events.subscription import SubscriptionStatus
from ledger.facts import ItemFact, PriceFact, SubscriptionFact
from ledger.money import Money
from ledger.period import Interval, Period, Unit
from providers.port import NeedsFetch, UnknownShape
from tests.providers.stripe.shapes import (
    ACCOUNT,
    END,
    NEW_ITEM,
    NEW_SUBSCRIPTION,
    OLD_ITEM,
    OLD_SUBSCRIPTION,
    PERIOD,
    PLAN,
    PRICE,
    PRODUCT,
    SEEN_AT,
    START,
    Json,
    facts,
    subscription,
)


def moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def read(content: Json, name: str = "customer.subscription.updated") -> SubscriptionFact:
    *prices, fact = facts(name, content)
    assert isinstance(fact, SubscriptionFact)
    assert {price.provider_id for price in prices} == {item.price for item in fact.items}
    return fact


EXPECTED = SubscriptionFact(
    account=ACCOUNT,
    provider_id="sub_1",
    observed_at=SEEN_AT,
    source="evt_1",
    customer="cus_1",
    status=SubscriptionStatus.ACTIVE,
    items=(
        ItemFact(
            provider_id="si_1",
            price="price_1",
            product="prod_1",
            amount=Money(2000, "usd"),
            interval=Interval(Unit.MONTH, 3),
            quantity=2,
            period=Period(moment(START), moment(END)),
        ),
    ),
    started_at=moment(START),
    trial_end=None,
    cancel_at=None,
    cancel_at_period_end=False,
    ended_at=None,
    end_reason=None,
    pause_reason=None,
    collection_paused=False,
    first=False,
)


@pytest.mark.parametrize(
    "content",
    [
        NEW_SUBSCRIPTION,
        OLD_SUBSCRIPTION,
        subscription([{**NEW_ITEM, "plan": OLD_ITEM["plan"]}], current_period_end=END + 5),
        subscription([{**NEW_ITEM, "price": {**PRICE, "product": PRODUCT}}]),
        {**NEW_SUBSCRIPTION, "customer": {"id": "cus_1", "object": "customer"}},
        {**NEW_SUBSCRIPTION, "customer_account": "acct_9"},
        {**NEW_SUBSCRIPTION, "start_date": None},
        {**OLD_SUBSCRIPTION, "start_date": None, "created": None, "start": START},
    ],
    ids=[
        "new",
        "old",
        "both, the item wins",
        "expanded product",
        "expanded customer",
        "customer and customer_account",
        "no start_date",
        "start of before 2019",
    ],
)
def test_the_same_agreement_gives_the_same_fact(content: Json) -> None:
    assert read(content) == EXPECTED


def test_the_prices_come_first() -> None:
    twice = subscription([NEW_ITEM, {**NEW_ITEM, "id": "si_2"}])
    price, fact = facts("customer.subscription.updated", twice)
    assert isinstance(price, PriceFact)
    assert price.product == "prod_1"
    assert isinstance(fact, SubscriptionFact)


@pytest.mark.parametrize(
    "name",
    [
        "updated",
        "paused",
        "resumed",
        "trial_will_end",
        "pending_update_applied",
        "pending_update_expired",
        "something_new",
    ],
)
def test_every_occasion_carries_the_whole(name: str) -> None:
    assert read(NEW_SUBSCRIPTION, f"customer.subscription.{name}") == EXPECTED


def test_a_creation_is_told() -> None:
    created = read(NEW_SUBSCRIPTION, "customer.subscription.created")
    assert created == replace(EXPECTED, first=True)


@pytest.mark.parametrize("status", list(SubscriptionStatus))
def test_every_status(status: SubscriptionStatus) -> None:
    assert read({**NEW_SUBSCRIPTION, "status": status.value}).status is status


def test_a_deletion_is_the_end_at_its_own_time() -> None:
    gone = read(
        {
            **NEW_SUBSCRIPTION,
            "status": "canceled",
            "ended_at": START + 10,
            "cancellation_details": {"reason": "payment_failed"},
        },
        "customer.subscription.deleted",
    )
    assert gone.status is SubscriptionStatus.CANCELED
    assert (gone.ended_at, gone.observed_at) == (moment(START + 10), SEEN_AT)
    assert gone.end_reason == "payment_failed"


def test_a_deletion_ends_whatever_its_snapshot_says() -> None:
    gone = read(NEW_SUBSCRIPTION, "customer.subscription.deleted")
    assert gone.status is SubscriptionStatus.CANCELED


def test_a_reason_of_a_cancel_to_come_is_no_end_yet() -> None:
    details = {"reason": "cancellation_requested"}
    assert read({**NEW_SUBSCRIPTION, "cancellation_details": details}).end_reason is None


def test_a_cancel_at_the_periods_end_names_the_end() -> None:
    for content in (NEW_SUBSCRIPTION, OLD_SUBSCRIPTION):
        unnamed = read({**content, "cancel_at_period_end": True})
        named = read({**content, "cancel_at_period_end": True, "cancel_at": END})
        assert unnamed == named
        assert unnamed.cancel_at == moment(END)


def test_a_cancel_at_a_date() -> None:
    fact = read({**NEW_SUBSCRIPTION, "cancel_at": START + 99})
    assert (fact.cancel_at, fact.cancel_at_period_end) == (moment(START + 99), False)


def test_a_trial() -> None:
    fact = read({**NEW_SUBSCRIPTION, "status": "trialing", "trial_end": END})
    assert fact.trial_end == moment(END)


def test_items_may_have_periods_of_their_own() -> None:
    other = {**NEW_ITEM, "id": "si_2", "current_period_end": END + 86_400}
    first, second = read(subscription([NEW_ITEM, other])).items
    assert first.period == Period(moment(START), moment(END))
    assert second.period == Period(moment(START), moment(END + 86_400))


def test_no_period_anywhere_is_no_period() -> None:
    bare = {key: value for key, value in NEW_ITEM.items() if key not in PERIOD}
    assert read(subscription([bare])).items[0].period is None


@pytest.mark.parametrize(("usage_type", "quantity"), [("metered", 0), ("licensed", 1)])
def test_a_quantity_that_is_not_said(usage_type: str, quantity: int) -> None:
    metered = {**PRICE, "recurring": {"interval": "month", "usage_type": usage_type}}
    assert (
        read(subscription([{**NEW_ITEM, "price": metered, "quantity": None}])).items[0].quantity
        == quantity
    )
    plan = {**PLAN, "usage_type": usage_type}
    old: Json = {"id": "si_1", "plan": plan}
    assert read(subscription([old], **PERIOD)).items[0].quantity == quantity


def test_a_pause_of_collection_is_no_pause() -> None:
    fact = read({**NEW_SUBSCRIPTION, "pause_collection": {"behavior": "void", "resumes_at": None}})
    assert (fact.collection_paused, fact.status) == (True, SubscriptionStatus.ACTIVE)


def test_a_pause_may_have_a_reason() -> None:
    cause = {"paused": {"subscription": {"type": "pause_requested"}, "type": "subscription"}}
    told = read({**NEW_SUBSCRIPTION, "status": "paused", "status_details": cause})
    assert told.pause_reason == "pause_requested"
    assert read({**NEW_SUBSCRIPTION, "status": "paused"}).pause_reason is None
    assert read({**NEW_SUBSCRIPTION, "status_details": cause}).pause_reason is None


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"status": "hibernating"}, "status"),
        ({"status": None}, "status"),
        ({"customer": None}, "customer"),
        ({"customer": None, "customer_account": "acct_9"}, "customer"),
        ({"customer": 7}, "customer"),
        ({"customer": {"object": "customer"}}, "customer.id"),
        ({"id": None}, "id"),
        ({"id": ""}, "id"),
        ({"items": None}, "items"),
        ({"items": []}, "items"),
        ({"items": {"data": {}}}, "items.data"),
        ({"items": {"data": [7]}}, "items.data[0]"),
        ({"items": {"data": [{"id": "si_1", **PERIOD}]}}, "items.data[0].price"),
        ({"items": {"data": [{**NEW_ITEM, "price": "price_1"}]}}, "items.data[0].price"),
        ({"items": {"data": [{**NEW_ITEM, "quantity": -1}]}}, "items.data[0].quantity"),
        ({"items": {"data": [{**NEW_ITEM, "quantity": 1.5}]}}, "items.data[0].quantity"),
        (
            {"items": {"data": [{**NEW_ITEM, "current_period_end": START - 1}]}},
            "items.data[0].current_period_end",
        ),
        ({"start_date": None, "created": None}, "start"),
        ({"start_date": "2026"}, "start_date"),
        ({"ended_at": -5}, "ended_at"),
        ({"trial_end": 10**12}, "trial_end"),
        ({"pause_collection": "yes"}, "pause_collection"),
        ({"cancel_at_period_end": 1}, "cancel_at_period_end"),
        ({"object": "customer"}, "object"),
    ],
)
def test_a_subscription_that_does_not_read(change: Json, field: str) -> None:
    with pytest.raises(UnknownShape) as refused:
        read({**NEW_SUBSCRIPTION, **change})
    assert refused.value.field == f"data.object.{field}"


def test_items_that_are_cut_short_must_be_fetched() -> None:
    with pytest.raises(NeedsFetch) as refused:
        read({**NEW_SUBSCRIPTION, "items": {"data": [NEW_ITEM], "has_more": True}})
    assert (refused.value.kind, refused.value.provider_id) == ("subscription", "sub_1")
