"""Customers, catalog, cards, invoices, money and clocks as resources."""

from __future__ import annotations

from decimal import Decimal

import pytest
from stripe import CardError, InvalidRequestError

from simulation.stripe.server import StripeSimulator
from tests.simulation.shop import Shop, unix


def test_a_customer_is_created_changed_and_deleted(shop: Shop) -> None:
    customer = shop.v1.customers.create(
        {
            "name": "Ada",
            "email": "ada@example.com",
            "address": {"city": "London", "country": "GB"},
            "metadata": {"a": "1", "b": "2"},
        }
    )
    assert customer.address is not None
    assert (customer.address.city, customer.address.line1) == ("London", None)
    changed = shop.v1.customers.update(customer.id, {"metadata": {"a": "", "c": "3"}, "name": ""})
    assert changed.metadata is not None
    assert (changed.metadata.to_dict(), changed.name) == ({"b": "2", "c": "3"}, None)
    cleared = shop.v1.customers.update(customer.id, {"metadata": ""})
    assert cleared.to_dict()["metadata"] == {}
    deleted = shop.v1.customers.delete(customer.id)
    assert deleted.deleted
    assert shop.v1.customers.retrieve(customer.id).to_dict() == {
        "id": customer.id,
        "object": "customer",
        "deleted": True,
    }
    assert shop.v1.customers.list().data == []
    assert shop.events("customer.deleted")[0]["data"]["object"]["metadata"] == {}


def test_deleting_a_customer_ends_everything(shop: Shop) -> None:
    customer = shop.customer()
    subscription = shop.subscribe(customer, shop.price())
    shop.v1.customers.delete(customer.id)
    assert shop.subscription(subscription).status == "canceled"
    types = shop.event_types()
    assert types.index("customer.subscription.deleted") < types.index("customer.deleted")
    assert "payment_method.detached" in types


def test_an_update_that_changes_nothing_is_not_news(shop: Shop) -> None:
    customer = shop.customer()
    before = shop.event_types()
    shop.v1.customers.update(customer.id, {"email": "ada@example.com"})
    assert shop.event_types() == before


def test_products_and_prices(shop: Shop) -> None:
    product = shop.v1.products.create(
        {
            "name": "Pro",
            "default_price_data": {
                "currency": "EUR",
                "unit_amount": 900,
                "recurring": {"interval": "month", "interval_count": 3},
            },
        }
    )
    assert isinstance(product.default_price, str)
    price = shop.v1.prices.retrieve(product.default_price, {"expand": ["product"]})
    assert price.recurring is not None
    assert (price.currency, price.recurring.interval_count, price.type) == ("eur", 3, "recurring")
    with pytest.raises(InvalidRequestError, match="cannot be deleted"):
        shop.v1.products.delete(product.id)
    renamed = shop.v1.products.update(product.id, {"name": "Pro+", "active": False})
    assert (renamed.name, renamed.active) == ("Pro+", False)
    assert shop.v1.products.list({"active": True}).data == []
    fine = shop.v1.prices.create(
        {"product": product.id, "currency": "usd", "unit_amount_decimal": Decimal("0.5")}
    )
    assert (fine.unit_amount, str(fine.unit_amount_decimal), fine.type) == (None, "0.5", "one_time")
    bare = shop.v1.products.create({"name": "Bare"})
    assert shop.v1.products.delete(bare.id).deleted


def test_a_lookup_key_names_one_price(shop: Shop) -> None:
    product = shop.v1.products.create({"name": "Pro"})
    first = shop.v1.prices.create(
        {"product": product.id, "currency": "usd", "unit_amount": 1, "lookup_key": "pro"}
    )
    with pytest.raises(InvalidRequestError, match="already uses that lookup key"):
        shop.v1.prices.create(
            {"product": product.id, "currency": "usd", "unit_amount": 2, "lookup_key": "pro"}
        )
    second = shop.v1.prices.create(
        {
            "product": product.id,
            "currency": "usd",
            "unit_amount": 2,
            "lookup_key": "pro",
            "transfer_lookup_key": True,
        }
    )
    found = shop.v1.prices.list({"lookup_keys": ["pro"]}).data
    assert [price.id for price in found] == [second.id]
    assert shop.v1.prices.retrieve(first.id).lookup_key is None


def test_cards_are_attached_and_detached(shop: Shop) -> None:
    customer = shop.customer()
    (method,) = shop.v1.payment_methods.list({"customer": customer.id}).data
    assert method.card is not None
    assert (method.card.brand, method.card.last4) == ("visa", "4242")
    assert [each.id for each in shop.v1.customers.payment_methods.list(customer.id).data] == [
        method.id
    ]
    other = shop.customer(card=None)
    with pytest.raises(InvalidRequestError, match="already been attached"):
        shop.v1.payment_methods.attach(method.id, {"customer": other.id})
    detached = shop.v1.payment_methods.detach(method.id)
    assert detached.customer is None
    settings = shop.v1.customers.retrieve(customer.id).invoice_settings
    assert settings is not None
    assert settings.default_payment_method is None
    told = shop.events("payment_method.detached")[0]["data"]
    assert told["previous_attributes"] == {"customer": customer.id}


def test_a_customer_begins_with_a_default_card(shop: Shop) -> None:
    customer = shop.v1.customers.create(
        {
            "payment_method": "pm_card_visa",
            "invoice_settings": {"default_payment_method": "pm_card_visa"},
        }
    )
    (method,) = shop.v1.payment_methods.list({"customer": customer.id}).data
    assert customer.invoice_settings is not None
    assert customer.invoice_settings.default_payment_method == method.id
    stranger = shop.customer(card=None)
    with pytest.raises(InvalidRequestError, match="does not have a payment method"):
        shop.v1.customers.update(
            stranger.id, {"invoice_settings": {"default_payment_method": method.id}}
        )


def test_a_card_made_from_its_number(shop: Shop) -> None:
    method = shop.v1.payment_methods.create(
        {
            "type": "card",
            "card": {"number": "5555 5555 5555 4444", "exp_month": 3, "exp_year": 2031},
        }
    )
    assert method.card is not None
    assert (method.card.brand, method.card.exp_year) == ("mastercard", 2031)


def test_an_invoice_by_hand(shop: Shop) -> None:
    customer = shop.customer()
    invoice = shop.v1.invoices.create({"customer": customer.id})
    shop.v1.invoice_items.create(
        {"customer": customer.id, "invoice": invoice.id, "amount": 1500, "description": "Setup"}
    )
    shop.v1.invoice_items.create({"customer": customer.id, "amount": 99})
    final = shop.v1.invoices.finalize_invoice(invoice.id)
    assert (final.status, final.total, final.number) == ("open", 1599, final.number)
    assert [line.amount for line in shop.v1.invoices.line_items.list(invoice.id).data] == [1500, 99]
    paid = shop.v1.invoices.pay(invoice.id)
    assert (paid.status, paid.amount_paid) == ("paid", 1599)
    with pytest.raises(InvalidRequestError, match="already paid"):
        shop.v1.invoices.pay(invoice.id)


def test_an_invoice_is_voided_or_given_up(shop: Shop) -> None:
    customer = shop.customer()
    bills = []
    for _ in range(2):
        shop.v1.invoice_items.create({"customer": customer.id, "amount": 500})
        invoice = shop.v1.invoices.create(
            {"customer": customer.id, "pending_invoice_items_behavior": "include"}
        )
        bills.append(shop.v1.invoices.finalize_invoice(invoice.id).id)
    assert shop.v1.invoices.void_invoice(bills[0]).status == "void"
    assert shop.v1.invoices.mark_uncollectible(bills[1]).status == "uncollectible"
    assert shop.v1.invoices.pay(bills[1]).status == "paid"
    draft = shop.v1.invoices.create({"customer": customer.id})
    assert shop.v1.invoices.delete(draft.id).deleted


def test_an_invoice_of_nothing_is_paid_at_once(shop: Shop) -> None:
    invoice = shop.v1.invoices.create({"customer": shop.customer().id})
    assert shop.v1.invoices.finalize_invoice(invoice.id).status == "paid"
    assert shop.v1.payment_intents.list().data == []


def test_the_money_behind_an_invoice(shop: Shop) -> None:
    customer = shop.customer()
    subscription = shop.subscribe(customer, shop.price())
    invoice = shop.invoices(subscription)[0]
    (allocation,) = shop.v1.invoice_payments.list({"invoice": invoice.id}).data
    intent_id = allocation.payment.payment_intent
    assert isinstance(intent_id, str)
    assert (allocation.status, allocation.amount_paid) == ("paid", 2000)
    intent = shop.v1.payment_intents.retrieve(intent_id, {"expand": ["latest_charge"]})
    assert intent.status == "succeeded"
    (charge,) = shop.v1.charges.list({"customer": customer.id}).data
    assert (charge.payment_intent, charge.amount_captured, charge.paid) == (intent_id, 2000, True)
    by_intent = shop.v1.invoice_payments.list(
        {"payment": {"type": "payment_intent", "payment_intent": intent_id}}
    )
    assert [each.id for each in by_intent.data] == [allocation.id]


def test_a_failed_charge_says_why(stripe_simulator: StripeSimulator, shop: Shop) -> None:
    customer = shop.customer()
    subscription = shop.subscribe(customer, shop.price())
    method = shop.v1.payment_methods.list({"customer": customer.id}).data[0]
    stripe_simulator.set_card(method.id, "insufficient_funds")
    shop.go_to("2026-02-01T01:00")
    charge = shop.v1.charges.list({"limit": 1}).data[0]
    assert charge.outcome is not None
    assert (charge.status, charge.failure_code, charge.outcome.reason) == (
        "failed",
        "card_declined",
        "insufficient_funds",
    )
    with pytest.raises(CardError, match="insufficient funds"):
        shop.v1.invoices.pay(shop.invoices(subscription)[-1].id)
    stripe_simulator.set_card(method.id, "approved")
    assert shop.v1.invoices.pay(shop.invoices(subscription)[-1].id).status == "paid"


def test_test_clocks_stand_apart_from_the_simulators_clock(shop: Shop) -> None:
    clocks = shop.v1.test_helpers.test_clocks
    clock = clocks.create({"frozen_time": unix("2027-05-31"), "name": "one"})
    customer = shop.customer(test_clock=clock.id)
    subscription = shop.subscribe(customer, shop.price())
    assert subscription.created == unix("2027-05-31")
    moving = clocks.advance(clock.id, {"frozen_time": unix("2027-08-01")})
    assert moving.status == "advancing"
    ready = clocks.retrieve(clock.id)
    assert (ready.status, ready.frozen_time) == ("ready", unix("2027-08-01"))
    assert len(shop.invoices(subscription)) == 3
    assert shop.simulator.now.year == 2026
    with pytest.raises(InvalidRequestError, match="only be advanced"):
        clocks.advance(clock.id, {"frozen_time": unix("2027-01-01")})
    assert shop.v1.subscriptions.list().data == []
    assert len(shop.v1.subscriptions.list({"test_clock": clock.id}).data) == 1
    clocks.delete(clock.id)
    assert shop.subscription(subscription).status == "canceled"
    assert shop.v1.customers.list().data == []


def test_events_are_listed_by_type_and_retrieved(shop: Shop) -> None:
    shop.subscribe(shop.customer(), shop.price())
    invoices = shop.v1.events.list({"type": "invoice.*"}).data
    assert {event.type.partition(".")[0] for event in invoices} == {"invoice"}
    picked = shop.v1.events.list({"types": ["customer.created", "price.created"]}).data
    assert [event.type for event in picked] == ["price.created", "customer.created"]
    assert shop.v1.events.retrieve(picked[0].id).id == picked[0].id
    assert picked[0].request is not None
    assert picked[0].request.idempotency_key is not None
    shop.go_to("2026-02-05T00:00")
    assert "customer.created" not in {
        event.type for event in shop.v1.events.list({"limit": 100}).auto_paging_iter()
    }


def test_subscriptions_are_listed_by_status_and_price(shop: Shop) -> None:
    customer, cheap, dear = shop.customer(), shop.price(100), shop.price(900)
    kept, ended = shop.subscribe(customer, cheap), shop.subscribe(customer, dear)
    shop.v1.subscriptions.cancel(ended.id)
    listed = shop.v1.subscriptions.list
    assert [each.id for each in listed().data] == [kept.id]
    assert [each.id for each in listed({"status": "all"}).data] == [ended.id, kept.id]
    assert [each.id for each in listed({"status": "canceled"}).data] == [ended.id]
    assert [each.id for each in listed({"status": "ended"}).data] == [ended.id]
    assert [each.id for each in listed({"price": cheap.id, "customer": customer.id}).data] == [
        kept.id
    ]
