"""Invoices as a resource: read, written by hand, finalized, paid, voided, given up."""

from __future__ import annotations

from typing import Final

from simulation.stripe import billing, collection, dunning, events, invoice_endings
from simulation.stripe.account import Account, Call
from simulation.stripe.errors import invalid_request, missing_parameter
from simulation.stripe.metadata import assign
from simulation.stripe.paging import Page, is_within, listed
from simulation.stripe.routing import LIST, Route
from simulation.stripe.store import Obj

_PLAIN: Final = "default_payment_method description due_date footer statement_descriptor"


def create(account: Account, call: Call) -> Obj:
    """A draft by hand; charged items that wait come along only when asked."""
    if not call.get("customer"):
        raise missing_parameter("customer")
    customer = account.find("customer", call.params["customer"], param="customer")
    named = call.get("subscription")
    subscription = account.find("subscription", named, param="subscription") if named else None
    invoice = billing.draft(
        account,
        customer,
        "manual",
        subscription=subscription,
        auto_advance=call.get("auto_advance", False),
        include_pending=call.get("pending_invoice_items_behavior", "exclude") == "include",
    )
    if call.get("currency"):
        invoice["currency"] = call.get("currency").lower()
    invoice["collection_method"] = call.get("collection_method", invoice["collection_method"])
    invoice["_days_until_due"] = call.get("days_until_due")
    assign(invoice, call.params, _PLAIN)
    events.created(account, invoice)
    return invoice


def retrieve(account: Account, call: Call) -> Obj:
    return account.find("invoice", call.path["id"])


def update(account: Account, call: Call) -> Obj:
    invoice = account.find("invoice", call.path["id"])
    assign(invoice, call.params, f"{_PLAIN} auto_advance")
    if invoice["status"] == "draft":
        final_at = account.now_of(invoice) + billing.FINALIZED_AFTER
        planned = invoice["automatically_finalizes_at"] or final_at
        invoice["automatically_finalizes_at"] = planned if invoice["auto_advance"] else None
    events.updated(account, invoice)
    return invoice


def delete(account: Account, call: Call) -> Obj:
    invoice = account.find("invoice", call.path["id"])
    if invoice["status"] != "draft" or invoice["_subscription"]:
        raise invalid_request("You can only delete draft invoices that you made by hand.")
    events.deleted(account, invoice)
    invoice["deleted"] = True
    return invoice


def finalize(account: Account, call: Call) -> Obj:
    invoice = account.find("invoice", call.path["id"])
    _demand(invoice, "finalized", "draft")
    if call.given("auto_advance"):
        invoice["auto_advance"] = call.get("auto_advance")
        events.updated(account, invoice)
    collection.issue(account, invoice, collect=False)
    return invoice


def pay(account: Account, call: Call) -> Obj:
    """Collect now; a draft becomes final first. A refusal is a 402, and is remembered."""
    invoice = account.find("invoice", call.path["id"])
    if invoice["status"] == "paid":
        raise invalid_request("Invoice is already paid")
    _demand(invoice, "paid", "draft", "open", "uncollectible")
    named = call.get("payment_method")
    method = account.find("payment_method", named, param="payment_method") if named else None
    if invoice["status"] == "draft":
        collection.issue(account, invoice, collect=False)
    if invoice["status"] == "paid":
        return invoice
    if call.get("paid_out_of_band"):
        collection.settle(account, invoice, out_of_band=True)
        return invoice
    refusal = collection.attempt(account, invoice, method)
    if refusal:
        raise refusal
    return invoice


def void(account: Account, call: Call) -> Obj:
    invoice = account.find("invoice", call.path["id"])
    _demand(invoice, "voided", "open", "uncollectible")
    invoice_endings.void(account, invoice)
    dunning.after_success(account, invoice)
    return invoice


def mark_uncollectible(account: Account, call: Call) -> Obj:
    invoice = account.find("invoice", call.path["id"])
    _demand(invoice, "marked as uncollectible", "open")
    invoice_endings.mark_uncollectible(account, invoice)
    dunning.after_success(account, invoice)
    return invoice


def list_invoices(account: Account, call: Call) -> Page:
    wanted, due = call.get("subscription"), call.get("due_date")
    customer = call.get("customer")
    found = (
        account.store.newest_under(customer, "invoice")
        if customer
        else account.store.newest("invoice")
    )
    return listed(
        account,
        call,
        found,
        lambda invoice: (
            (not wanted or invoice["_subscription"] == wanted)
            and is_within(invoice["due_date"], due)
        ),
        equal=("collection_method", "status"),
    )


def list_lines(account: Account, call: Call) -> Page:
    invoice = account.find("invoice", call.path["invoice"])
    return listed(
        account, call, reversed(list(account.store.newest_under(invoice["id"], "line_item")))
    )


def _demand(invoice: Obj, wish: str, *statuses: str) -> None:
    if invoice["status"] not in statuses:
        raise invalid_request(
            f"This invoice is {invoice['status']} and cannot be {wish}.",
            code="invoice_not_editable",
        )


ROUTES = (
    Route(
        "POST",
        "/v1/invoices",
        create,
        "InvoiceCreateParams",
        f"{_PLAIN} auto_advance collection_method currency customer days_until_due metadata "
        "pending_invoice_items_behavior subscription",
    ),
    Route(
        "GET",
        "/v1/invoices",
        list_invoices,
        "InvoiceListParams",
        f"{LIST} collection_method created customer due_date status subscription",
    ),
    Route("GET", "/v1/invoices/{id}", retrieve, "InvoiceRetrieveParams"),
    Route(
        "POST",
        "/v1/invoices/{id}",
        update,
        "InvoiceUpdateParams",
        f"{_PLAIN} auto_advance metadata",
    ),
    Route("DELETE", "/v1/invoices/{id}", delete, "InvoiceDeleteParams"),
    Route(
        "POST",
        "/v1/invoices/{id}/finalize",
        finalize,
        "InvoiceFinalizeInvoiceParams",
        "auto_advance",
    ),
    Route(
        "POST",
        "/v1/invoices/{id}/pay",
        pay,
        "InvoicePayParams",
        "off_session paid_out_of_band payment_method",
    ),
    Route("POST", "/v1/invoices/{id}/void", void, "InvoiceVoidInvoiceParams"),
    Route(
        "POST",
        "/v1/invoices/{id}/mark_uncollectible",
        mark_uncollectible,
        "InvoiceMarkUncollectibleParams",
    ),
    Route("GET", "/v1/invoices/{invoice}/lines", list_lines, "InvoiceLineItemListParams", LIST),
)
