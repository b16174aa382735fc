"""Charges, payment intents and invoice payments as resources to read."""

from __future__ import annotations

from simulation.stripe import collection
from simulation.stripe.account import Account, Call
from simulation.stripe.errors import invalid_request
from simulation.stripe.paging import Page, listed
from simulation.stripe.routing import LIST, Route
from simulation.stripe.store import Obj


def retrieve_charge(account: Account, call: Call) -> Obj:
    return account.find("charge", call.path["id"])


def list_charges(account: Account, call: Call) -> Page:
    found = account.store.newest("charge")
    return listed(account, call, found, equal=("customer", "payment_intent"))


def retrieve_intent(account: Account, call: Call) -> Obj:
    return account.find("payment_intent", call.path["id"])


def list_intents(account: Account, call: Call) -> Page:
    return listed(account, call, account.store.newest("payment_intent"), equal=("customer",))


def confirm_intent(account: Account, call: Call) -> Obj:
    """The customer pays, as from a browser: collects the invoice behind the intent."""
    intent = account.find("payment_intent", call.path["id"])
    if intent["status"] in ("succeeded", "canceled"):
        raise invalid_request(
            f"You cannot confirm this PaymentIntent because it has a status of {intent['status']}.",
            code="payment_intent_unexpected_state",
        )
    named = call.get("payment_method") or intent["payment_method"]
    method = account.find("payment_method", named, param="payment_method") if named else None
    refusal = collection.attempt(account, account.store.one(intent["_invoice"]), method)
    if refusal and intent["status"] != "requires_action":
        raise refusal
    return intent


def retrieve_allocation(account: Account, call: Call) -> Obj:
    return account.find("invoice_payment", call.path["id"])


def list_allocations(account: Account, call: Call) -> Page:
    wanted = call.get("payment", {}).get("payment_intent")
    return listed(
        account,
        call,
        account.store.newest("invoice_payment"),
        lambda each: not wanted or each["payment"].get("payment_intent") == wanted,
        equal=("invoice", "status"),
    )


ROUTES = (
    Route(
        "GET",
        "/v1/charges",
        list_charges,
        "ChargeListParams",
        f"{LIST} created customer payment_intent",
    ),
    Route("GET", "/v1/charges/{id}", retrieve_charge, "ChargeRetrieveParams"),
    Route(
        "GET",
        "/v1/payment_intents",
        list_intents,
        "PaymentIntentListParams",
        f"{LIST} created customer",
    ),
    Route("GET", "/v1/payment_intents/{id}", retrieve_intent, "PaymentIntentRetrieveParams"),
    Route(
        "POST",
        "/v1/payment_intents/{id}/confirm",
        confirm_intent,
        "PaymentIntentConfirmParams",
        "off_session payment_method return_url",
    ),
    Route(
        "GET",
        "/v1/invoice_payments",
        list_allocations,
        "InvoicePaymentListParams",
        f"{LIST} created invoice payment status",
    ),
    Route("GET", "/v1/invoice_payments/{id}", retrieve_allocation, "InvoicePaymentRetrieveParams"),
)
