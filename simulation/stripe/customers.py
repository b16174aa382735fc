"""Customers: who pays."""

from __future__ import annotations

from typing import Any, Final

from simulation.stripe import ending, events
from simulation.stripe.account import Account, Call
from simulation.stripe.metadata import assign
from simulation.stripe.paging import Page, listed
from simulation.stripe.payment_methods import attach_to, demand_owned, detach_from, find_attachable
from simulation.stripe.routing import LIST, Route
from simulation.stripe.store import Obj

_PLAIN: Final = (
    "address balance business_name description email individual_name invoice_prefix name "
    "next_invoice_sequence phone preferred_locales shipping tax_exempt"
)
_ADDRESS: Final = ("city", "country", "line1", "line2", "postal_code", "state")


def create(account: Account, call: Call) -> Obj:
    clock = call.get("test_clock")
    if clock:
        account.find("test_helpers.test_clock", clock, param="test_clock")
    customer: Obj = {
        "id": account.ids.new("cus"),
        "object": "customer",
        "address": None,
        "balance": 0,
        "created": account.store.one(clock)["frozen_time"] if clock else account.now,
        "currency": None,
        "customer_account": None,
        "default_source": None,
        "delinquent": False,
        "description": None,
        "discount": None,
        "email": None,
        "invoice_prefix": account.ids.secret("invoice_prefix", 8).upper(),
        "invoice_settings": _invoice_settings(None, {}),
        "livemode": False,
        "metadata": {},
        "name": None,
        "next_invoice_sequence": 1,
        "phone": None,
        "preferred_locales": [],
        "shipping": None,
        "tax_exempt": "none",
        "test_clock": clock,
    }
    _assign(customer, call)
    named = call.get("payment_method")
    method = find_attachable(account, named, customer, param="payment_method") if named else None
    settings = dict(call.get("invoice_settings", {}))
    if method and settings.get("default_payment_method") == named:
        settings["default_payment_method"] = method["id"]
    elif settings.get("default_payment_method"):
        _demand_own_default(account, customer, settings)
    customer["invoice_settings"] = _invoice_settings(None, settings)
    account.store.add(customer, under=(clock,) if clock else ())
    events.created(account, customer)
    if method:
        attach_to(account, method, customer)
    return customer


def retrieve(account: Account, call: Call) -> Obj:
    found = account.store.get(call.path["id"])
    if found and found["object"] == "customer" and found.get("deleted"):
        return found
    return account.find("customer", call.path["id"])


def update(account: Account, call: Call) -> Obj:
    customer = account.find("customer", call.path["id"])
    _assign(customer, call)
    settings = call.get("invoice_settings", {})
    if settings.get("default_payment_method"):
        _demand_own_default(account, customer, settings)
    customer["invoice_settings"] = _invoice_settings(customer["invoice_settings"], settings)
    events.updated(account, customer)
    return customer


def delete(account: Account, call: Call) -> Obj:
    customer = account.find("customer", call.path["id"])
    remove(account, customer)
    return customer


def remove(account: Account, customer: Obj) -> None:
    """End everything a customer has, then the customer."""
    for subscription in account.store.under(customer["id"], "subscription"):
        if subscription["status"] not in ending.ENDED:
            ending.cancel(account, subscription, reason="cancellation_requested")
    for method in account.store.under(customer["id"], "payment_method"):
        detach_from(account, method)
    events.deleted(account, customer)
    customer["deleted"] = True


def list_customers(account: Account, call: Call) -> Page:
    clock = call.get("test_clock")
    if clock:
        account.find("test_helpers.test_clock", clock, param="test_clock")
    return listed(
        account,
        call,
        account.store.newest("customer"),
        lambda customer: customer["test_clock"] == clock,
        equal=("email",),
    )


def _assign(customer: Obj, call: Call) -> None:
    assign(customer, call.params, _PLAIN)
    customer["balance"] = customer["balance"] or 0
    customer["preferred_locales"] = customer["preferred_locales"] or []
    customer["tax_exempt"] = customer["tax_exempt"] or "none"
    if customer["address"]:
        customer["address"] = _address(customer["address"])
    if customer["shipping"]:
        shipping = customer["shipping"]
        customer["shipping"] = {
            "address": _address(shipping["address"]),
            "name": shipping["name"],
            "phone": shipping.get("phone"),
        }


def _demand_own_default(account: Account, customer: Obj, settings: dict[str, Any]) -> None:
    param = "invoice_settings[default_payment_method]"
    demand_owned(account, settings["default_payment_method"], customer, param)


def _invoice_settings(present: dict[str, Any] | None, given: dict[str, Any]) -> dict[str, Any]:
    settings = (
        dict(present)
        if present
        else dict.fromkeys(
            ("custom_fields", "default_payment_method", "footer", "rendering_options")
        )
    )
    for name, value in given.items():
        settings[name] = None if value == "" else value
    return settings


def _address(given: dict[str, Any]) -> dict[str, Any]:
    return {name: given.get(name) or None for name in _ADDRESS}


ROUTES = (
    Route(
        "POST",
        "/v1/customers",
        create,
        "CustomerCreateParams",
        f"{_PLAIN} metadata invoice_settings payment_method test_clock",
    ),
    Route(
        "GET",
        "/v1/customers",
        list_customers,
        "CustomerListParams",
        f"{LIST} created email test_clock",
    ),
    Route("GET", "/v1/customers/{id}", retrieve, "CustomerRetrieveParams"),
    Route(
        "POST",
        "/v1/customers/{id}",
        update,
        "CustomerUpdateParams",
        f"{_PLAIN} metadata invoice_settings",
    ),
    Route("DELETE", "/v1/customers/{id}", delete, "CustomerDeleteParams"),
)
