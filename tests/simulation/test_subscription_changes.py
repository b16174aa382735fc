"""Plan changes, quantities and several items: what is prorated, what is billed, and when."""

from __future__ import annotations

import pytest
from stripe import CardError, InvalidRequestError, Price, Subscription

from tests.simulation.shop import Shop, periods, unix


def move_to(shop: Shop, subscription: Subscription, price: Price, **more: object) -> Subscription:
    item = shop.subscription(subscription)["items"].data[0].id
    change: dict[str, object] = {"items": [{"id": item, "price": price.id}], **more}
    return shop.v1.subscriptions.update(subscription.id, change)  # type: ignore[arg-type]


def amounts(shop: Shop, subscription: Subscription) -> list[list[int]]:
    return [[line.amount for line in invoice.lines.data] for invoice in shop.invoices(subscription)]


def test_an_upgrade_waits_on_the_next_invoice(shop: Shop) -> None:
    small, large = shop.price(3100), shop.price(6200)
    subscription = shop.subscribe(shop.customer(), small)
    shop.go_to("2026-01-11T00:00")
    changed = move_to(shop, subscription, large)
    assert changed.status == "active"
    assert periods(changed) == [("2026-01-01", "2026-02-01")]
    waiting = shop.v1.invoice_items.list({"pending": True}).data
    assert sorted(item.amount for item in waiting) == [-2100, 4200]
    shop.go_to("2026-02-01T02:00")
    assert amounts(shop, subscription) == [[3100], [6200, -2100, 4200]]
    assert shop.v1.invoice_items.list({"pending": True}).data == []


def test_a_credit_names_the_line_it_gives_back(shop: Shop) -> None:
    subscription = shop.subscribe(shop.customer(), shop.price(3100))
    first = shop.invoices(subscription)[0]
    shop.go_to("2026-01-11T00:00")
    move_to(shop, subscription, shop.price(6200), proration_behavior="always_invoice")
    credit, debit = shop.invoices(subscription)[-1].lines.data
    assert (credit.amount, debit.amount) == (-2100, 4200)
    assert credit.parent is not None
    assert credit.parent.subscription_item_details is not None
    details = credit.parent.subscription_item_details.proration_details
    assert details is not None
    assert details.credited_items is not None
    assert details.credited_items.invoice == first.id
    assert details.credited_items.invoice_line_items == [first.lines.data[0].id]


def test_always_invoice_collects_the_difference_at_once(shop: Shop) -> None:
    subscription = shop.subscribe(shop.customer(), shop.price(3100))
    shop.go_to("2026-01-11T00:00")
    move_to(shop, subscription, shop.price(6200), proration_behavior="always_invoice")
    last = shop.invoices(subscription)[-1]
    assert (last.status, last.total, last.billing_reason) == (
        "paid",
        2100,
        "subscription_update",
    )


def test_without_proration_only_the_next_period_costs_more(shop: Shop) -> None:
    subscription = shop.subscribe(shop.customer(), shop.price(3100))
    shop.go_to("2026-01-11T00:00")
    move_to(shop, subscription, shop.price(6200), proration_behavior="none")
    shop.go_to("2026-02-01T02:00")
    assert amounts(shop, subscription) == [[3100], [6200]]


def test_a_downgrade_leaves_a_credit_for_later_invoices(shop: Shop) -> None:
    customer = shop.customer()
    subscription = shop.subscribe(customer, shop.price(6200))
    shop.go_to("2026-01-02T00:00")
    move_to(shop, subscription, shop.price(3100), proration_behavior="always_invoice")
    assert shop.invoices(subscription)[-1].total == -3000
    assert shop.v1.customers.retrieve(customer.id).balance == -3000
    shop.go_to("2026-02-01T02:00")
    renewal = shop.invoices(subscription)[-1]
    assert (renewal.starting_balance, renewal.amount_due, renewal.ending_balance) == (-3000, 100, 0)
    assert shop.v1.customers.retrieve(customer.id).balance == 0


def test_another_rhythm_starts_a_new_cycle_and_is_billed_at_once(shop: Shop) -> None:
    subscription = shop.subscribe(shop.customer(), shop.price(3100))
    shop.go_to("2026-01-11T00:00")
    changed = move_to(shop, subscription, shop.price(30000, "year"))
    assert changed.billing_cycle_anchor == unix("2026-01-11")
    assert periods(changed) == [("2026-01-11", "2027-01-11")]
    assert amounts(shop, subscription)[-1] == [-2100, 30000]


def test_leaving_a_free_plan_starts_a_new_cycle(shop: Shop) -> None:
    subscription = shop.subscribe(shop.customer(), shop.price(0))
    assert subscription.status == "active"
    shop.go_to("2026-01-11T00:00")
    changed = move_to(shop, subscription, shop.price(3100))
    assert periods(changed) == [("2026-01-11", "2026-02-11")]


def test_the_anchor_can_be_moved_to_now(shop: Shop) -> None:
    subscription = shop.subscribe(shop.customer(), shop.price(3100))
    shop.go_to("2026-01-11T00:00")
    changed = shop.v1.subscriptions.update(
        subscription.id, {"billing_cycle_anchor": {"type": "now"}}
    )
    assert periods(changed) == [("2026-01-11", "2026-02-11")]
    assert amounts(shop, subscription)[-1] == [-2100, 3100]


def test_a_later_first_anchor_bills_a_share(shop: Shop) -> None:
    shop.go_to("2026-01-11T00:00")
    subscription = shop.subscribe(
        shop.customer(), shop.price(3100), billing_cycle_anchor=unix("2026-02-01")
    )
    assert periods(subscription) == [("2026-01-11", "2026-02-01")]
    shop.go_to("2026-02-01T02:00")
    assert amounts(shop, subscription) == [[2100], [3100]]


def test_an_anchor_by_day_keeps_the_last_day_of_each_month(shop: Shop) -> None:
    shop.go_to("2026-02-10T00:00")
    subscription = shop.subscribe(
        shop.customer(), shop.price(), billing_cycle_anchor_config={"day_of_month": 31}
    )
    ends = [periods(subscription)[0][1]]
    for month in ("03", "04", "05"):
        shop.go_to(f"2026-{month}-15T00:00")
        ends.append(periods(shop.subscription(subscription))[0][1])
    assert ends == ["2026-02-28", "2026-03-31", "2026-04-30", "2026-05-31"]


def test_a_quantity_is_prorated(shop: Shop) -> None:
    subscription = shop.subscribe(shop.customer(), shop.price(3100), quantity=2)
    item = subscription["items"].data[0]
    shop.go_to("2026-01-11T00:00")
    shop.v1.subscription_items.update(item.id, {"quantity": 5})
    shop.go_to("2026-02-01T02:00")
    assert amounts(shop, subscription) == [[6200], [15500, -4200, 10500]]


def test_items_come_and_go(shop: Shop) -> None:
    base, seat = shop.price(3100), shop.price(620)
    subscription = shop.subscribe(shop.customer(), base)
    shop.go_to("2026-01-11T00:00")
    item = shop.v1.subscription_items.create(
        {"subscription": subscription.id, "price": seat.id, "quantity": 3}
    )
    assert len(shop.v1.subscription_items.list({"subscription": subscription.id}).data) == 2
    shop.go_to("2026-02-01T02:00")
    gone = shop.v1.subscription_items.delete(item.id, {"proration_behavior": "none"})
    assert gone.deleted
    shop.go_to("2026-03-01T02:00")
    assert amounts(shop, subscription) == [[3100], [3100, 1860, 1260], [3100]]


def test_items_of_one_subscription_may_have_different_periods(shop: Shop) -> None:
    subscription = shop.subscribe(shop.customer(), shop.price(1000), shop.price(9000, "year"))
    assert periods(subscription) == [("2026-01-01", "2026-02-01"), ("2026-01-01", "2027-01-01")]
    shop.go_to("2027-01-01T02:00")
    assert amounts(shop, subscription) == [[1000, 9000], *[[1000]] * 11, [1000, 9000]]


def test_a_change_that_cannot_be_paid(shop: Shop) -> None:
    customer = shop.customer()
    subscription = shop.subscribe(customer, shop.price(3100))
    shop.replace_card(customer, "pm_card_chargeCustomerFail")
    large = shop.price(6200)
    with pytest.raises(CardError):
        move_to(
            shop,
            subscription,
            large,
            proration_behavior="always_invoice",
            payment_behavior="error_if_incomplete",
        )
    assert shop.subscription(subscription)["items"].data[0].price.unit_amount == 3100
    changed = move_to(shop, subscription, large, proration_behavior="always_invoice")
    assert changed.status == "past_due"
    assert amounts(shop, subscription)[-1] == [-3100, 6200]


def test_previous_attributes_tell_what_changed(shop: Shop) -> None:
    small, large = shop.price(3100), shop.price(6200)
    subscription = shop.subscribe(shop.customer(), small, metadata={"team": "red"})
    move_to(shop, subscription, large, metadata={"team": "blue", "size": "9"})
    changed = shop.events("customer.subscription.updated")[-1]
    previous = changed["data"]["previous_attributes"]
    assert previous["metadata"] == {"team": "red", "size": None}
    assert previous["items"]["data"][0]["price"]["id"] == small.id
    assert set(previous) == {"metadata", "items"}


def test_what_a_subscription_refuses(shop: Shop) -> None:
    customer = shop.customer()
    dollars, euros = shop.price(), shop.price(currency="eur")
    with pytest.raises(InvalidRequestError, match="same currency"):
        shop.subscribe(customer, dollars, euros)
    shop.subscribe(customer, dollars)
    with pytest.raises(InvalidRequestError, match="cannot combine currencies"):
        shop.subscribe(customer, euros)
    shop.v1.prices.update(dollars.id, {"active": False})
    with pytest.raises(InvalidRequestError, match="inactive"):
        shop.subscribe(customer, dollars)
    with pytest.raises(InvalidRequestError, match="next natural billing date"):
        shop.subscribe(customer, shop.price(), billing_cycle_anchor=unix("2026-06-01"))
