"""Events tell a story without gaps: each change leads back to what was told before."""

from __future__ import annotations

from typing import Any

from tests.simulation.shop import Shop


def led_back(previous: dict[str, Any], shown: dict[str, Any]) -> dict[str, Any]:
    """The object before a change: the old values put over the new ones."""
    old = dict(shown)
    for name, value in previous.items():
        nested = isinstance(value, dict) and isinstance(shown.get(name), dict)
        old[name] = led_back(value, shown[name]) if nested else value
    return old


def without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: without_nulls(v) for k, v in value.items() if v is not None}
    if isinstance(value, list):
        return [without_nulls(each) for each in value]
    return value


def check_chain(shop: Shop) -> int:
    """Every update, led back, is the object as the event before showed it."""
    told: dict[str, dict[str, Any]] = {}
    updates = 0
    for event in shop.events():
        shown = event["data"]["object"]
        if event["type"].endswith(".updated"):
            before = led_back(event["data"]["previous_attributes"], shown)
            assert without_nulls(before) == without_nulls(told[shown["id"]]), event
            updates += 1
        told[shown["id"]] = shown
    return updates


def test_every_update_leads_back_to_what_was_told_before(shop: Shop) -> None:
    customer = shop.customer()
    small, large, yearly = shop.price(3100), shop.price(6200), shop.price(30000, "year")
    life = shop.subscribe(customer, small, trial_period_days=10, metadata={"a": "1"})
    item = life["items"].data[0].id
    shop.go_to("2026-01-05T00:00")
    shop.v1.subscriptions.update(life.id, {"trial_end": "now", "metadata": {"b": "2"}})
    shop.go_to("2026-01-20T00:00")
    shop.v1.subscriptions.update(life.id, {"items": [{"id": item, "price": large.id}]})
    shop.replace_card(customer, "pm_card_chargeCustomerFail")
    shop.go_to("2026-02-06T00:00")
    shop.v1.subscriptions.update(life.id, {"items": [{"id": item, "price": yearly.id}]})
    shop.replace_card(customer, "pm_card_visa")
    shop.v1.invoices.pay(shop.invoices(life)[-1].id)
    shop.v1.subscriptions.pause(life.id)
    shop.go_to("2026-03-06T00:00")
    shop.v1.subscriptions.resume(life.id)
    shop.v1.prices.update(yearly.id, {"active": False, "nickname": "old"})
    shop.v1.subscriptions.update(life.id, {"cancel_at_period_end": True})
    shop.v1.subscriptions.update(life.id, {"cancel_at_period_end": False})
    shop.v1.subscriptions.update(
        life.id, {"pause_collection": {"behavior": "void"}, "proration_behavior": "none"}
    )
    shop.go_to("2027-04-01T00:00")
    shop.v1.subscriptions.cancel(life.id, {"prorate": True, "invoice_now": True})
    shop.subscribe(customer, small)
    shop.go_to("2027-05-10T00:00")
    shop.v1.customers.delete(customer.id)
    assert check_chain(shop) > 25


def test_a_change_is_told_once(shop: Shop) -> None:
    customer = shop.customer()
    life = shop.subscribe(customer, shop.price(), trial_period_days=10)
    shop.replace_card(customer, "pm_card_chargeCustomerFail")
    ended = shop.v1.subscriptions.update(life.id, {"trial_end": "now"})
    assert ended.status == "past_due"
    told = [
        event["data"]["previous_attributes"].get("status")
        for event in shop.events("customer.subscription.updated")
    ]
    assert told == ["trialing", "active"]
