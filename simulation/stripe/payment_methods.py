"""Payment methods: the cards that customers pay with."""

from __future__ import annotations

from typing import Any, Final

from ledger.clock import from_unix
from simulation.stripe import cards, events
from simulation.stripe.account import Account, Call
from simulation.stripe.errors import card_declined, invalid_request, no_such, not_simulated
from simulation.stripe.metadata import assign
from simulation.stripe.paging import Page, listed
from simulation.stripe.routing import LIST, Route
from simulation.stripe.store import Obj

_ADDRESS: Final = ("city", "country", "line1", "line2", "postal_code", "state")


def create(account: Account, call: Call) -> Obj:
    if call.get("type") != "card":
        raise not_simulated("type")
    given = call.get("card", {})
    token, number = given.get("token"), given.get("number", "")
    card = cards.by_token(token) if token else cards.by_number(number)
    if card is None:
        raise invalid_request(
            "Your card number is incorrect.", param="card[number]", code="incorrect_number"
        )
    method = _make(account, card, call.get("billing_details"))
    for name in ("exp_month", "exp_year"):
        if name in given:
            method["card"][name] = given[name]
    assign(method, call.params, "")
    return account.store.add(method)


def retrieve(account: Account, call: Call) -> Obj:
    return account.find("payment_method", call.path["id"])


def update(account: Account, call: Call) -> Obj:
    method = account.find("payment_method", call.path["id"])
    assign(method, call.params, "")
    if call.given("billing_details"):
        method["billing_details"] |= call.get("billing_details", {})
    for name, value in call.get("card", {}).items():
        method["card"][name] = value
    if method["customer"]:
        events.updated(account, method)
    return method


def attach(account: Account, call: Call) -> Obj:
    if not call.get("customer"):
        raise not_simulated("customer_account")
    customer = account.find("customer", call.params["customer"], param="customer")
    return attach_to(account, find_attachable(account, call.path["id"], customer), customer)


def detach(account: Account, call: Call) -> Obj:
    method = account.find("payment_method", call.path["id"])
    if not method["customer"]:
        raise invalid_request(
            "The payment method you provided is not attached to a customer so detachment is "
            "impossible.",
            code="payment_method_unexpected_state",
        )
    detach_from(account, method)
    return method


def find_attachable(
    account: Account, identifier: str, customer: Obj, *, param: str | None = None
) -> Obj:
    """The payment method of an id or a `pm_card_…` token, if this customer may have it."""
    card = cards.by_token(identifier)
    method = _make(account, card) if card else account.store.get(identifier)
    if method is None or method["object"] != "payment_method":
        status = 400 if param else 404
        raise no_such("PaymentMethod", identifier, param=param or "id", status=status)
    if method["customer"] and method["customer"] != customer["id"]:
        raise invalid_request(
            "The payment method you provided has already been attached to a customer.",
            code="payment_method_unexpected_state",
        )
    if method["_attach"] != cards.APPROVED:
        raise card_declined(method["_attach"], cards.MESSAGES[method["_attach"]])
    return method


def attach_to(account: Account, method: Obj, customer: Obj) -> Obj:
    """Give a customer a payment method."""
    if method["customer"]:
        return method
    if account.store.get(method["id"]) is None:
        account.store.add(method)
    method["customer"] = customer["id"]
    account.store.adopt(method, customer["id"])
    events.record(account, "payment_method.attached", method)
    return method


def demand_owned(account: Account, identifier: str, customer: Obj, param: str) -> None:
    """Refuse to collect a customer's bills from a card that is not the customer's."""
    if account.find("payment_method", identifier, param=param)["customer"] != customer["id"]:
        raise invalid_request(
            f"The customer does not have a payment method with the ID {identifier}.",
            param=param,
            code="resource_missing",
        )


def detach_from(account: Account, method: Obj) -> None:
    """Take a payment method from its customer, who no longer has it as a default either."""
    customer = account.store.one(method["customer"])
    now = account.now_of(customer)
    previous = {"customer": customer["id"]}
    method["customer"] = None
    account.store.disown(method, customer["id"])
    if customer["invoice_settings"]["default_payment_method"] == method["id"]:
        customer["invoice_settings"]["default_payment_method"] = None
        events.updated(account, customer)
    events.record(account, "payment_method.detached", method, previous=previous, at=now)


def list_methods(account: Account, call: Call) -> Page:
    owner = call.path.get("customer") or call.get("customer")
    if owner:
        account.find("customer", owner, param=None if "customer" in call.path else "customer")
        found = account.store.newest_under(owner, "payment_method")
    else:
        found = account.store.newest("payment_method")
    return listed(account, call, found, equal=("type",))


def _make(account: Account, card: cards.Card, billing: dict[str, Any] | None = None) -> Obj:
    billing = billing or {}
    address = billing.get("address") or {}
    return {
        "id": account.ids.new("pm"),
        "object": "payment_method",
        "allow_redisplay": "unspecified",
        "billing_details": {
            "address": {name: address.get(name) for name in _ADDRESS},
            "email": billing.get("email"),
            "name": billing.get("name"),
            "phone": billing.get("phone"),
            "tax_id": None,
        },
        "card": _card(account, card),
        "created": account.now,
        "customer": None,
        "customer_account": None,
        "livemode": False,
        "metadata": {},
        "type": "card",
        "_attach": card.attach,
        "_charge": card.charge,
    }


def _card(account: Account, card: cards.Card) -> dict[str, Any]:
    return {
        "brand": card.brand,
        "checks": {
            "address_line1_check": None,
            "address_postal_code_check": None,
            "cvc_check": "pass",
        },
        "country": "US",
        "display_brand": card.brand,
        "exp_month": 8,
        "exp_year": from_unix(account.now).year + 4,
        "fingerprint": account.ids.secret("fingerprint", 16),
        "funding": card.funding,
        "generated_from": None,
        "last4": card.number[-4:],
        "networks": {"available": [card.brand], "preferred": None},
        "regulated_status": "unregulated",
        "three_d_secure_usage": {"supported": True},
        "wallet": None,
    }


ROUTES = (
    Route(
        "POST",
        "/v1/payment_methods",
        create,
        "PaymentMethodCreateParams",
        "type card billing_details metadata",
    ),
    Route(
        "GET",
        "/v1/payment_methods",
        list_methods,
        "PaymentMethodListParams",
        f"{LIST} customer type",
    ),
    Route("GET", "/v1/payment_methods/{id}", retrieve, "PaymentMethodRetrieveParams"),
    Route(
        "POST",
        "/v1/payment_methods/{id}",
        update,
        "PaymentMethodUpdateParams",
        "billing_details card metadata",
    ),
    Route(
        "POST", "/v1/payment_methods/{id}/attach", attach, "PaymentMethodAttachParams", "customer"
    ),
    Route("POST", "/v1/payment_methods/{id}/detach", detach, "PaymentMethodDetachParams"),
    Route(
        "GET",
        "/v1/customers/{customer}/payment_methods",
        list_methods,
        "CustomerPaymentMethodListParams",
        f"{LIST} type",
    ),
)
