"""Payments: the intent to collect an invoice, the charges tried for it, the money allocated."""

from __future__ import annotations

from typing import Any, Final

from simulation.stripe import cards, events
from simulation.stripe.account import Account
from simulation.stripe.errors import StripeError, card_declined
from simulation.stripe.render import render
from simulation.stripe.store import Obj, copied


def open_intent(account: Account, invoice: Obj) -> Obj:
    """A final invoice's payment intent, and the default allocation that waits for it."""
    identifier = account.ids.new("pi")
    now = account.now_of(invoice)
    intent: Obj = {
        "id": identifier,
        "object": "payment_intent",
        "amount": invoice["amount_due"],
        "amount_capturable": 0,
        "amount_details": {"tip": {}},
        "amount_received": 0,
        "application": None,
        "application_fee_amount": None,
        "automatic_payment_methods": None,
        "canceled_at": None,
        "cancellation_reason": None,
        "capture_method": "automatic",
        "client_secret": f"{identifier}_secret_{account.ids.secret('client_secret', 25)}",
        "confirmation_method": "automatic",
        "created": now,
        "currency": invoice["currency"],
        "customer": invoice["customer"],
        "customer_account": None,
        "description": "Subscription update" if invoice["_subscription"] else None,
        "excluded_payment_method_types": None,
        "last_payment_error": None,
        "latest_charge": None,
        "livemode": False,
        "metadata": {},
        "next_action": None,
        "on_behalf_of": None,
        "payment_method": None,
        "payment_method_configuration_details": None,
        "payment_method_options": {},
        "payment_method_types": ["card"],
        "processing": None,
        "receipt_email": None,
        "review": None,
        "setup_future_usage": "off_session" if invoice["_subscription"] else None,
        "shipping": None,
        "source": None,
        "statement_descriptor": None,
        "statement_descriptor_suffix": None,
        "status": "requires_payment_method",
        "transfer_data": None,
        "transfer_group": None,
        "_invoice": invoice["id"],
    }
    account.store.add(intent, under=(invoice["id"], invoice["customer"]))
    allocate(account, invoice, {"type": "payment_intent", "payment_intent": identifier})
    events.created(account, intent)
    return intent


def allocate(account: Account, invoice: Obj, payment: dict[str, Any]) -> Obj:
    """The link between an invoice and the money meant for it."""
    allocation: Obj = {
        "id": account.ids.new("inpay"),
        "object": "invoice_payment",
        "amount_paid": None,
        "amount_requested": invoice["amount_due"],
        "created": account.now_of(invoice),
        "currency": invoice["currency"],
        "invoice": invoice["id"],
        "is_default": True,
        "livemode": False,
        "payment": payment,
        "status": "open",
        "status_transitions": {"canceled_at": None, "paid_at": None},
    }
    return account.store.add(allocation, under=(invoice["id"],))


def intent_of(account: Account, invoice: Obj) -> Obj | None:
    intents = account.store.under(invoice["id"], "payment_intent")
    return intents[-1] if intents else None


def charge(
    account: Account, intent: Obj, method: Obj, *, authenticated: bool = False
) -> StripeError | None:
    """Try to collect an intent from a card; the refusal is returned, not raised."""
    intent["payment_method"] = method["id"]
    outcome = method["_charge"]
    if authenticated and outcome == cards.NEEDS_CUSTOMER:
        outcome = cards.APPROVED
    if outcome == cards.NEEDS_CUSTOMER:
        return _ask_customer(account, intent)
    made = _make_charge(account, intent, method, outcome)
    if outcome != cards.APPROVED:
        return _refuse(account, intent, made, method, outcome)
    events.record(account, "charge.succeeded", made)
    intent |= {
        "amount_received": intent["amount"],
        "last_payment_error": None,
        "latest_charge": made["id"],
        "next_action": None,
        "status": "succeeded",
    }
    events.record(account, "payment_intent.succeeded", intent)
    return None


def settle_allocation(account: Account, invoice: Obj) -> None:
    """Mark the money of an invoice as arrived."""
    allocation = account.store.under(invoice["id"], "invoice_payment")[-1]
    allocation["amount_paid"] = allocation["amount_requested"]
    allocation["status"] = "paid"
    allocation["status_transitions"]["paid_at"] = account.now_of(invoice)
    events.record(account, "invoice_payment.paid", allocation)


def cancel_intent(account: Account, invoice: Obj, reason: str) -> None:
    """Give up collecting an invoice."""
    now = account.now_of(invoice)
    for allocation in account.store.under(invoice["id"], "invoice_payment"):
        if allocation["status"] == "open":
            allocation["status"] = "canceled"
            allocation["status_transitions"]["canceled_at"] = now
    intent = intent_of(account, invoice)
    if intent and intent["status"] not in ("succeeded", "canceled"):
        intent |= {"status": "canceled", "canceled_at": now, "cancellation_reason": reason}
        events.record(account, "payment_intent.canceled", intent)


def _ask_customer(account: Account, intent: Obj) -> StripeError:
    intent["status"] = "requires_action"
    intent["next_action"] = {
        "type": "use_stripe_sdk",
        "use_stripe_sdk": {"type": "three_d_secure_redirect"},
    }
    events.record(account, "payment_intent.requires_action", intent)
    return card_declined(
        cards.NEEDS_CUSTOMER,
        cards.MESSAGES[cards.NEEDS_CUSTOMER],
        payment_intent=render(account, intent),
    )


def _refuse(account: Account, intent: Obj, made: Obj, method: Obj, outcome: str) -> StripeError:
    events.record(account, "charge.failed", made)
    error = {
        "advice_code": "try_again_later",
        "charge": made["id"],
        "code": made["failure_code"],
        "decline_code": outcome,
        "message": made["failure_message"],
        "payment_method": render(account, method),
        "type": "card_error",
    }
    intent |= {
        "last_payment_error": error,
        "latest_charge": made["id"],
        "next_action": None,
        "payment_method": None,
        "status": "requires_payment_method",
    }
    events.record(account, "payment_intent.payment_failed", intent)
    return card_declined(
        outcome,
        made["failure_message"],
        charge=made["id"],
        payment_intent=render(account, intent),
        payment_method=render(account, method),
    )


def _make_charge(account: Account, intent: Obj, method: Obj, outcome: str) -> Obj:
    paid = outcome == cards.APPROVED
    message = None if paid else cards.MESSAGES[outcome]
    made: Obj = {
        "id": account.ids.new("ch"),
        "object": "charge",
        "amount": intent["amount"],
        "amount_captured": intent["amount"] if paid else 0,
        "amount_refunded": 0,
        "application": None,
        "application_fee": None,
        "application_fee_amount": None,
        "balance_transaction": account.ids.new("txn") if paid else None,
        "billing_details": copied(method["billing_details"]),
        "calculated_statement_descriptor": "SIMULATED",
        "captured": paid,
        "created": account.now_of(intent),
        "currency": intent["currency"],
        "customer": intent["customer"],
        "description": intent["description"],
        "disputed": False,
        "failure_balance_transaction": None,
        "failure_code": None if paid else card_declined(outcome, "").code,
        "failure_message": message,
        "fraud_details": {},
        "livemode": False,
        "metadata": {},
        "on_behalf_of": None,
        "outcome": _outcome(outcome),
        "paid": paid,
        "payment_intent": intent["id"],
        "payment_method": method["id"],
        "payment_method_details": {"type": "card", "card": _card_details(method, intent)},
        "receipt_email": None,
        "receipt_number": None,
        "receipt_url": None,
        "refunded": False,
        "review": None,
        "shipping": None,
        "source": None,
        "source_transfer": None,
        "statement_descriptor": None,
        "statement_descriptor_suffix": None,
        "status": "succeeded" if paid else "failed",
        "transfer_data": None,
        "transfer_group": None,
    }
    return account.store.add(made, under=(intent["id"], intent["customer"]))


_CARD_FACTS: Final = (
    "brand",
    "checks",
    "country",
    "exp_month",
    "exp_year",
    "fingerprint",
    "funding",
    "last4",
    "regulated_status",
    "wallet",
)


def _card_details(method: Obj, intent: Obj) -> dict[str, Any]:
    return {name: copied(method["card"][name]) for name in _CARD_FACTS} | {
        "amount_authorized": intent["amount"],
        "installments": None,
        "mandate": None,
        "network": method["card"]["brand"],
        "three_d_secure": None,
    }


def _outcome(outcome: str) -> dict[str, Any]:
    if outcome == cards.APPROVED:
        return {
            "advice_code": None,
            "network_advice_code": None,
            "network_decline_code": None,
            "network_status": "approved_by_network",
            "reason": None,
            "risk_level": "normal",
            "seller_message": "Payment complete.",
            "type": "authorized",
        }
    return {
        "advice_code": "try_again_later",
        "network_advice_code": "02",
        "network_decline_code": "05",
        "network_status": "declined_by_network",
        "reason": outcome,
        "risk_level": "normal",
        "seller_message": "The bank did not return any further details with this decline.",
        "type": "issuer_declined",
    }
