"""Invoice items: charges and credits that wait for the next invoice."""

from __future__ import annotations

from simulation.stripe import events, lines
from simulation.stripe.account import Account, Call
from simulation.stripe.errors import invalid_request, missing_parameter
from simulation.stripe.lines import Line
from simulation.stripe.metadata import assign
from simulation.stripe.paging import Page, listed
from simulation.stripe.prices import amount_of
from simulation.stripe.routing import LIST, Route
from simulation.stripe.store import Obj


def pend(account: Account, customer: Obj, line: Line) -> Obj:
    """Keep a line for the customer's next invoice."""
    waiting: Obj = {
        "id": account.ids.new("ii"),
        "object": "invoiceitem",
        "amount": line.amount,
        "currency": line.currency,
        "customer": customer["id"],
        "customer_account": None,
        "date": account.now_of(customer),
        "description": line.description,
        "discountable": not line.proration,
        "discounts": [],
        "invoice": None,
        "livemode": False,
        "metadata": dict(line.metadata),
        "net_amount": line.amount,
        "parent": _parent(line),
        "period": {"start": line.start, "end": line.end},
        "pricing": lines.pricing(line.price),
        "proration": line.proration,
        "quantity": line.quantity,
        "quantity_decimal": str(line.quantity),
        "tax_rates": [],
        "test_clock": customer["test_clock"],
        "_billed": False,
        "_credits": line.credits and line.credits["id"],
        "_item": line.item and line.item["id"],
        "_price": line.price and line.price["id"],
        "_subscription": line.subscription,
    }
    account.store.add(waiting, under=(customer["id"],))
    events.created(account, waiting)
    return waiting


def bill(account: Account, invoice: Obj) -> None:
    """Move what waits for this invoice onto it as lines."""
    for waiting in account.store.under(invoice["customer"], "invoiceitem"):
        if waiting["_billed"] or not _belongs(waiting, invoice):
            continue
        lines.add(account, invoice, _line(account, waiting))
        waiting["invoice"], waiting["_billed"] = invoice["id"], True


def lines_for(account: Account, customer: Obj, subscription: Obj) -> list[Line]:
    """The lines that wait for a subscription's next invoice."""
    return [
        _line(account, waiting)
        for waiting in account.store.under(customer["id"], "invoiceitem")
        if not waiting["invoice"] and waiting["_subscription"] in (None, subscription["id"])
    ]


def drop(account: Account, subscription: Obj) -> None:
    """Forget the prorations that wait for a subscription that ends."""
    for waiting in account.store.under(subscription["customer"], "invoiceitem"):
        if waiting["_subscription"] == subscription["id"] and not waiting["invoice"]:
            events.deleted(account, waiting)
            waiting["deleted"] = True


def create(account: Account, call: Call) -> Obj:
    if not call.get("customer"):
        raise missing_parameter("customer")
    customer = account.find("customer", call.params["customer"], param="customer")
    price_id = call.get("pricing", {}).get("price")
    price = account.find("price", price_id, param="pricing[price]") if price_id else None
    quantity = call.get("quantity", 1)
    if price is None and not call.given("amount"):
        raise missing_parameter("amount")
    now = account.now_of(customer)
    span = call.get("period", {"start": now, "end": now})
    amount = amount_of(price, quantity) if price else call.params["amount"]
    currency = price["currency"] if price else call.get("currency", "usd").lower()
    invoice = call.get("invoice")
    if invoice and account.find("invoice", invoice, param="invoice")["status"] != "draft":
        raise invalid_request("You can only add items to draft invoices.", param="invoice")
    line = Line(
        amount,
        span["start"],
        span["end"],
        call.get("description") or "Invoice item",
        currency,
        price,
        quantity,
        subscription=call.get("subscription"),
        metadata=call.get("metadata", {}),
    )
    waiting = pend(account, customer, line)
    waiting["invoice"] = invoice
    return waiting


def retrieve(account: Account, call: Call) -> Obj:
    return account.find("invoiceitem", call.path["id"])


def update(account: Account, call: Call) -> Obj:
    waiting = account.find("invoiceitem", call.path["id"])
    _demand_open(waiting)
    assign(waiting, call.params, "description amount")
    waiting["net_amount"] = waiting["amount"]
    return waiting


def delete(account: Account, call: Call) -> Obj:
    waiting = account.find("invoiceitem", call.path["id"])
    _demand_open(waiting)
    events.deleted(account, waiting)
    waiting["deleted"] = True
    return waiting


def list_items(account: Account, call: Call) -> Page:
    pending = call.get("pending")
    return listed(
        account,
        call,
        account.store.newest("invoiceitem"),
        lambda waiting: pending is None or pending == (waiting["invoice"] is None),
        equal=("customer", "invoice"),
    )


def _belongs(waiting: Obj, invoice: Obj) -> bool:
    if waiting["invoice"]:
        return bool(waiting["invoice"] == invoice["id"])
    return waiting["_subscription"] in (None, invoice["_subscription"])


def _demand_open(waiting: Obj) -> None:
    if waiting["_billed"]:
        raise invalid_request("This invoice item is on an invoice and can no longer be changed.")


def _line(account: Account, waiting: Obj) -> Line:
    find = account.store.one
    return Line(
        waiting["amount"],
        waiting["period"]["start"],
        waiting["period"]["end"],
        waiting["description"],
        waiting["currency"],
        find(waiting["_price"]) if waiting["_price"] else None,
        waiting["quantity"],
        find(waiting["_item"]) if waiting["_item"] else None,
        waiting["proration"],
        find(waiting["_credits"]) if waiting["_credits"] else None,
        waiting["id"],
        waiting["_subscription"],
        waiting["metadata"],
    )


def _parent(line: Line) -> Obj | None:
    if not line.subscription:
        return None
    details = {
        "subscription": line.subscription,
        "subscription_item": line.item["id"] if line.item else None,
    }
    return {"type": "subscription_details", "subscription_details": details}


ROUTES = (
    Route(
        "POST",
        "/v1/invoiceitems",
        create,
        "InvoiceItemCreateParams",
        "amount currency customer description invoice metadata period pricing quantity "
        "subscription",
    ),
    Route(
        "GET",
        "/v1/invoiceitems",
        list_items,
        "InvoiceItemListParams",
        f"{LIST} customer invoice pending",
    ),
    Route("GET", "/v1/invoiceitems/{id}", retrieve, "InvoiceItemRetrieveParams"),
    Route(
        "POST",
        "/v1/invoiceitems/{id}",
        update,
        "InvoiceItemUpdateParams",
        "amount description metadata",
    ),
    Route("DELETE", "/v1/invoiceitems/{id}", delete, "InvoiceItemDeleteParams"),
)
