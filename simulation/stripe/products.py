"""Products: what is sold."""

from __future__ import annotations

from typing import Final

from simulation.stripe import events, prices
from simulation.stripe.account import Account, Call
from simulation.stripe.errors import invalid_request
from simulation.stripe.metadata import assign
from simulation.stripe.paging import Page, listed
from simulation.stripe.routing import LIST, Route
from simulation.stripe.store import Obj

_PLAIN: Final = (
    "active description images marketing_features name package_dimensions shippable "
    "statement_descriptor tax_code unit_label url"
)


def create(account: Account, call: Call) -> Obj:
    identifier = call.get("id")
    if identifier and account.store.get(identifier):
        raise invalid_request(
            f"Product already exists: {identifier}", param="id", code="resource_already_exists"
        )
    product: Obj = {
        "id": identifier or account.ids.new("prod"),
        "object": "product",
        "active": True,
        "created": account.now,
        "default_price": None,
        "description": None,
        "images": [],
        "livemode": False,
        "marketing_features": [],
        "metadata": {},
        "name": call.params["name"],
        "package_dimensions": None,
        "shippable": None,
        "statement_descriptor": None,
        "tax_code": None,
        "type": call.get("type", "service"),
        "unit_label": None,
        "updated": account.now,
        "url": None,
    }
    _assign(product, call)
    account.store.add(product)
    events.created(account, product)
    default = call.get("default_price_data")
    if default:
        price = prices.make(account, product["id"], default)
        product["default_price"] = price["id"]
    return product


def retrieve(account: Account, call: Call) -> Obj:
    return account.find("product", call.path["id"])


def update(account: Account, call: Call) -> Obj:
    product = account.find("product", call.path["id"])
    default = call.get("default_price")
    if (
        default
        and account.find("price", default, param="default_price")["product"] != product["id"]
    ):
        raise invalid_request(
            "The price specified in `default_price` must belong to the product.",
            param="default_price",
        )
    _assign(product, call)
    assign(product, call.params, "default_price")
    if events.untold(account, product):
        product["updated"] = account.now
    events.updated(account, product)
    return product


def delete(account: Account, call: Call) -> Obj:
    product = account.find("product", call.path["id"])
    if account.store.under(product["id"], "price"):
        raise invalid_request(
            "This product cannot be deleted because it has one or more user-created prices."
        )
    events.deleted(account, product)
    product["deleted"] = True
    return product


def list_products(account: Account, call: Call) -> Page:
    wanted = call.get("ids")
    return listed(
        account,
        call,
        account.store.newest("product"),
        lambda product: not wanted or product["id"] in wanted,
        equal=("active", "shippable", "url"),
    )


def _assign(product: Obj, call: Call) -> None:
    assign(product, call.params, _PLAIN)
    product["images"] = product["images"] or []
    product["marketing_features"] = product["marketing_features"] or []


ROUTES = (
    Route(
        "POST",
        "/v1/products",
        create,
        "ProductCreateParams",
        f"{_PLAIN} id type metadata default_price_data",
    ),
    Route(
        "GET",
        "/v1/products",
        list_products,
        "ProductListParams",
        f"{LIST} active created ids shippable url",
    ),
    Route("GET", "/v1/products/{id}", retrieve, "ProductRetrieveParams"),
    Route(
        "POST",
        "/v1/products/{id}",
        update,
        "ProductUpdateParams",
        f"{_PLAIN} metadata default_price",
    ),
    Route("DELETE", "/v1/products/{id}", delete, "ProductDeleteParams"),
)
