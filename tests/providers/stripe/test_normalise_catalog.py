"""Customers, products, prices and checkouts: the ties to us and the catalog, as facts."""

from __future__ import annotations

from uuid import UUID

import pytest

from ledger.facts import CheckoutFact, CustomerFact, PriceFact, ProductFact
from ledger.money import Money
from ledger.period import Interval, Unit
from providers.port import UnknownShape
from tests.providers.stripe.shapes import (
    ACCOUNT,
    CHECKOUT,
    PLAN,
    PRICE,
    PRODUCT,
    SEEN_AT,
    Json,
    facts,
)

OURS = UUID("0197a3b0-1c2d-7e3f-8a4b-5c6d7e8f9a0b")


def customer(name: str, content: Json) -> CustomerFact:
    (fact,) = facts(name, {"id": "cus_1", "object": "customer", **content})
    assert isinstance(fact, CustomerFact)
    return fact


def test_a_customers_ties_are_in_its_metadata() -> None:
    metadata = {
        "folio_project": "acme",
        "folio_customer_id": str(OURS),
        "folio_external_id": "user-7",
    }
    assert customer("customer.created", {"metadata": metadata}) == CustomerFact(
        account=ACCOUNT,
        provider_id="cus_1",
        observed_at=SEEN_AT,
        source="evt_1",
        project="acme",
        customer_id=OURS,
        external_id="user-7",
        deleted=False,
    )


@pytest.mark.parametrize("metadata", [None, {}, {"folio_project": ""}])
def test_a_customer_may_have_no_ties(metadata: Json | None) -> None:
    fact = customer("customer.updated", {"metadata": metadata})
    assert (fact.project, fact.customer_id, fact.external_id) == (None, None, None)


def test_the_plain_word_for_the_apps_id_is_understood() -> None:
    assert customer("customer.updated", {"metadata": {"external_id": "u"}}).external_id == "u"


@pytest.mark.parametrize("content", [{"deleted": True}, {"metadata": {}}])
def test_a_deleted_customer(content: Json) -> None:
    assert customer("customer.deleted", content).deleted


@pytest.mark.parametrize("metadata", [{"folio_customer_id": "not-a-uuid"}, [], {"external_id": 7}])
def test_ties_that_do_not_read(metadata: object) -> None:
    with pytest.raises(UnknownShape) as refused:
        customer("customer.updated", {"metadata": metadata})
    assert refused.value.field.startswith("data.object.metadata")


def product(name: str, content: Json) -> ProductFact:
    (fact,) = facts(name, content)
    assert isinstance(fact, ProductFact)
    return fact


def test_a_product_declares_its_plan_and_features() -> None:
    assert product("product.created", PRODUCT) == ProductFact(
        account=ACCOUNT,
        provider_id="prod_1",
        observed_at=SEEN_AT,
        source="evt_1",
        project="acme",
        name="Pro",
        plan="pro",
        features=(("api", "true"), ("seats", "5")),
        grace_days=7,
        leeway_hours=48,
        active=True,
        deleted=False,
    )


def test_a_product_without_metadata_is_its_own_plan() -> None:
    bare = product("product.updated", {**PRODUCT, "metadata": {}, "active": False})
    assert (bare.plan, bare.features, bare.active) == ("prod_1", (), False)
    assert (bare.grace_days, bare.leeway_hours, bare.project) == (None, None, None)


def test_a_deleted_product_may_be_no_more_than_an_id() -> None:
    gone = product("product.deleted", {"id": "prod_1", "object": "product", "deleted": True})
    assert (gone.deleted, gone.active, gone.plan, gone.name) == (True, False, None, "prod_1")
    assert product("product.deleted", PRODUCT).plan == "pro"


@pytest.mark.parametrize("value", ["-1", "soon", "1.5", "٣", "100000"])
def test_grace_that_is_no_count(value: str) -> None:
    with pytest.raises(UnknownShape):
        product("product.updated", {**PRODUCT, "metadata": {"folio_grace_days": value}})


def price(name: str, content: Json) -> PriceFact:
    (fact,) = facts(name, content)
    assert isinstance(fact, PriceFact)
    return fact


def test_a_price_and_the_plan_it_was_before_2020_are_the_same() -> None:
    expected = PriceFact(
        account=ACCOUNT,
        provider_id="price_1",
        observed_at=SEEN_AT,
        source="evt_1",
        product="prod_1",
        amount=Money(2000, "usd"),
        interval=Interval(Unit.MONTH, 3),
        active=True,
        deleted=False,
    )
    assert price("price.created", PRICE) == expected
    assert price("plan.created", PLAN) == expected
    assert price("price.created", {**PRICE, "product": PRODUCT}) == expected


def test_a_price_without_an_interval_is_paid_once() -> None:
    once = price("price.updated", {**PRICE, "type": "one_time", "recurring": None})
    assert (once.interval, once.amount) == (None, Money(2000, "usd"))


@pytest.mark.parametrize(
    "change",
    [
        {"billing_scheme": "tiered", "unit_amount": None},
        {"unit_amount": None, "unit_amount_decimal": "0.5"},
        {"unit_amount": None, "custom_unit_amount": {"minimum": 100}},
    ],
)
def test_a_price_without_one_whole_amount(change: Json) -> None:
    assert price("price.updated", {**PRICE, **change}).amount is None


def test_a_currency_without_decimals() -> None:
    yen = price("price.updated", {**PRICE, "currency": "jpy", "unit_amount": 500})
    assert str(yen.amount) == "500 JPY"


def test_a_deleted_price_is_not_active() -> None:
    gone = price("price.deleted", PRICE)
    assert (gone.deleted, gone.active) == (True, False)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"product": None}, "data.object.product"),
        ({"currency": "dollars"}, "currency"),
        ({"currency": None}, "data.object.currency"),
        ({"unit_amount": 20.0}, "data.object.unit_amount"),
        ({"unit_amount": True}, "data.object.unit_amount"),
        ({"unit_amount": "2000"}, "data.object.unit_amount"),
        ({"unit_amount": 10**16}, "amount"),
        ({"recurring": {"interval": "fortnight"}}, "data.object.recurring.interval"),
        ({"recurring": {"interval": "month", "interval_count": 0}}, "interval count"),
        ({"recurring": "month"}, "data.object.recurring"),
        ({"active": "yes"}, "data.object.active"),
    ],
)
def test_a_price_that_does_not_read(change: Json, field: str) -> None:
    with pytest.raises(UnknownShape) as refused:
        price("price.updated", {**PRICE, **change})
    assert refused.value.field == field


def test_a_checkout_names_the_apps_user() -> None:
    (fact,) = facts("checkout.session.completed", CHECKOUT)
    assert fact == CheckoutFact(
        account=ACCOUNT,
        provider_id="cs_1",
        observed_at=SEEN_AT,
        source="evt_1",
        customer="cus_1",
        external_id="user-7",
        subscription="sub_1",
        paid=True,
    )


@pytest.mark.parametrize("status", ["unpaid", "no_payment_required"])
def test_a_checkout_without_money(status: str) -> None:
    (fact,) = facts("checkout.session.completed", {**CHECKOUT, "payment_status": status})
    assert isinstance(fact, CheckoutFact)
    assert not fact.paid


def test_a_checkouts_metadata_ties_the_customer_it_made() -> None:
    metadata = {"folio_project": "acme", "folio_external_id": "user-8"}
    content = {**CHECKOUT, "client_reference_id": None, "metadata": metadata}
    tied, checkout = facts("checkout.session.completed", content)
    assert isinstance(tied, CustomerFact)
    assert isinstance(checkout, CheckoutFact)
    assert (tied.provider_id, tied.project, tied.external_id) == ("cus_1", "acme", "user-8")
    assert checkout.external_id == "user-8"


@pytest.mark.parametrize(
    "change", [{"payment_status": "maybe"}, {"payment_status": None}, {"customer": None}]
)
def test_a_checkout_that_does_not_read(change: Json) -> None:
    with pytest.raises(UnknownShape):
        facts("checkout.session.completed", {**CHECKOUT, **change})
