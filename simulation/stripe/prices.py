"""Prices: the immutable terms on which a product is sold."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final

from simulation.stripe import events
from simulation.stripe.account import Account, Call
from simulation.stripe.errors import invalid_request, missing_parameter, not_simulated
from simulation.stripe.metadata import assign
from simulation.stripe.paging import Page, listed
from simulation.stripe.routing import LIST, Route
from simulation.stripe.store import Obj

_MOST_PER_INTERVAL: Final = {"day": 1095, "week": 156, "month": 36, "year": 3}


def create(account: Account, call: Call) -> Obj:
    product = call.get("product")
    fresh = call.get("product_data")
    if bool(product) == bool(fresh):
        raise missing_parameter("product")
    if fresh:
        raise not_simulated("product_data")
    account.find("product", product, param="product")
    if call.get("billing_scheme", "per_unit") != "per_unit":
        raise not_simulated("billing_scheme")
    _free_lookup_key(account, call)
    return make(account, product, call.params)


def make(account: Account, product: str, given: dict[str, Any]) -> Obj:
    """A new price of a product."""
    amount, decimal = _amount(given)
    price: Obj = {
        "id": account.ids.new("price"),
        "object": "price",
        "active": given.get("active", True),
        "billing_scheme": "per_unit",
        "created": account.now,
        "currency": given["currency"].lower(),
        "custom_unit_amount": None,
        "livemode": False,
        "lookup_key": None,
        "metadata": {},
        "nickname": None,
        "product": product,
        "recurring": _recurring(given.get("recurring")),
        "tax_behavior": given.get("tax_behavior", "unspecified"),
        "tiers_mode": None,
        "transform_quantity": None,
        "type": "recurring" if given.get("recurring") else "one_time",
        "unit_amount": amount,
        "unit_amount_decimal": decimal,
    }
    assign(price, given, "lookup_key nickname")
    account.store.add(price, under=(product,))
    events.created(account, price)
    return price


def retrieve(account: Account, call: Call) -> Obj:
    return account.find("price", call.path["id"])


def update(account: Account, call: Call) -> Obj:
    price = account.find("price", call.path["id"])
    _free_lookup_key(account, call, owner=price["id"])
    assign(price, call.params, "active lookup_key nickname tax_behavior")
    events.updated(account, price)
    return price


def list_prices(account: Account, call: Call) -> Page:
    keys, recurring = call.get("lookup_keys"), call.get("recurring", {})

    def keep(price: Obj) -> bool:
        if keys and price["lookup_key"] not in keys:
            return False
        own = price["recurring"] or {}
        return all(own.get(name) == value for name, value in recurring.items())

    found = account.store.newest("price")
    return listed(account, call, found, keep, equal=("active", "currency", "product", "type"))


def _amount(given: dict[str, Any]) -> tuple[int | None, str]:
    """Whole minor units where the amount is whole, and the same as a decimal text."""
    if given.get("unit_amount") is not None and given.get("unit_amount_decimal"):
        raise invalid_request(
            "You may only specify one of these parameters: unit_amount, unit_amount_decimal."
        )
    if given.get("unit_amount") is not None:
        if given["unit_amount"] < 0:
            raise invalid_request(
                "Invalid non-negative integer",
                param="unit_amount",
                code="parameter_invalid_integer",
            )
        return given["unit_amount"], str(given["unit_amount"])
    if not given.get("unit_amount_decimal"):
        raise missing_parameter("unit_amount")
    exact = Decimal(given["unit_amount_decimal"])
    whole = int(exact) if exact == exact.to_integral_value() else None
    return whole, str(exact)


def amount_of(price: Obj, quantity: int) -> int:
    """What a quantity costs for one whole period, in minor units, rounded half up."""
    exact = Decimal(price["unit_amount_decimal"]) * quantity
    return int(exact.to_integral_value(ROUND_HALF_UP))


def _recurring(given: dict[str, Any] | None) -> dict[str, Any] | None:
    if not given:
        return None
    count = given.get("interval_count", 1)
    if not 1 <= count <= _MOST_PER_INTERVAL[given["interval"]]:
        raise invalid_request(
            "Invalid interval_count: subscriptions bill at least every three years.",
            param="recurring[interval_count]",
        )
    if given.get("usage_type", "licensed") != "licensed":
        raise not_simulated("recurring[usage_type]")
    return {
        "interval": given["interval"],
        "interval_count": count,
        "meter": None,
        "trial_period_days": given.get("trial_period_days"),
        "usage_type": "licensed",
    }


def _free_lookup_key(account: Account, call: Call, owner: str | None = None) -> None:
    """A lookup key names one active price; `transfer_lookup_key` takes it from its holder."""
    key = call.get("lookup_key")
    holders = [
        price
        for price in account.store.newest("price")
        if key and price["lookup_key"] == key and price["id"] != owner
    ]
    for holder in holders:
        if not call.get("transfer_lookup_key"):
            raise invalid_request(
                f"A price (`{holder['id']}`) already uses that lookup key.", param="lookup_key"
            )
        holder["lookup_key"] = None
        events.updated(account, holder)


ROUTES = (
    Route(
        "POST",
        "/v1/prices",
        create,
        "PriceCreateParams",
        "active billing_scheme currency lookup_key metadata nickname product product_data "
        "recurring tax_behavior transfer_lookup_key unit_amount unit_amount_decimal",
    ),
    Route(
        "GET",
        "/v1/prices",
        list_prices,
        "PriceListParams",
        f"{LIST} active created currency lookup_keys product recurring type",
    ),
    Route("GET", "/v1/prices/{id}", retrieve, "PriceRetrieveParams"),
    Route(
        "POST",
        "/v1/prices/{id}",
        update,
        "PriceUpdateParams",
        "active lookup_key metadata nickname tax_behavior transfer_lookup_key",
    ),
)
