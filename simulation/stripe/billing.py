"""Billing: an invoice from its draft to the moment it is final."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from simulation.stripe import events, invoice_items, lines, payments
from simulation.stripe.account import Account
from simulation.stripe.cycles import DAY, HOUR
from simulation.stripe.lines import Line
from simulation.stripe.store import Obj, copied

FINALIZED_AFTER: Final = HOUR
"""Seconds that a draft of a renewal stays open to changes."""


def draft(
    account: Account,
    customer: Obj,
    reason: str,
    charges: Iterable[Line] = (),
    *,
    subscription: Obj | None = None,
    period: tuple[int, int] | None = None,
    auto_advance: bool = True,
    include_pending: bool = True,
) -> Obj:
    """A new draft with these lines and whatever waits for it; its event is the caller's to tell."""
    invoice = _assemble(account, customer, reason, charges, subscription, period)
    invoice["auto_advance"] = auto_advance
    if auto_advance:
        invoice["automatically_finalizes_at"] = invoice["created"] + FINALIZED_AFTER
    if include_pending:
        invoice_items.bill(account, invoice)
    if subscription:
        subscription["latest_invoice"] = invoice["id"]
    total_up(account, invoice)
    return invoice


def tell_upcoming(
    account: Account, customer: Obj, subscription: Obj, charges: Iterable[Line]
) -> None:
    """Announce what the next invoice would be; it exists in this event only."""
    waiting = invoice_items.lines_for(account, customer, subscription)
    invoice = _assemble(
        account, customer, "upcoming", [*charges, *waiting], subscription, None, "upcoming_in"
    )
    invoice["period_end"] = invoice["created"] + account.habits.upcoming_notice
    total_up(account, invoice)
    events.record(account, "invoice.upcoming", invoice)
    invoice["deleted"] = True
    for line in account.store.under(invoice["id"], "line_item"):
        line["deleted"] = True


def _assemble(
    account: Account,
    customer: Obj,
    reason: str,
    charges: Iterable[Line],
    subscription: Obj | None,
    period: tuple[int, int] | None,
    prefix: str = "in",
) -> Obj:
    now = account.now_of(customer)
    start, end = period or (now, now)
    mailed = subscription is not None and subscription["collection_method"] == "send_invoice"
    invoice = _blank(account.ids.new(prefix), customer, reason, now) | {
        "auto_advance": False,
        "automatically_finalizes_at": None,
        "collection_method": "send_invoice" if mailed else "charge_automatically",
        "currency": subscription["currency"] if subscription else customer["currency"] or "usd",
        "default_payment_method": None,
        "parent": _parent(subscription),
        "period_start": start,
        "period_end": end,
        "_days_until_due": subscription["days_until_due"] if subscription else None,
        "_subscription": subscription["id"] if subscription else None,
    }
    parents = [customer["id"], *([subscription["id"]] if subscription else [])]
    account.store.add(invoice, under=tuple(parents))
    for line in charges:
        lines.add(account, invoice, line)
    return invoice


def total_up(account: Account, invoice: Obj) -> None:
    """Bring a draft's sums up to date with its lines and the customer's balance."""
    customer = account.store.one(invoice["customer"])
    subtotal = sum(line["amount"] for line in account.store.under(invoice["id"], "line_item"))
    for name in ("subtotal", "subtotal_excluding_tax", "total", "total_excluding_tax"):
        invoice[name] = subtotal
    invoice["starting_balance"] = customer["balance"]
    due = max(subtotal + customer["balance"], 0)
    invoice["amount_due"] = invoice["amount_remaining"] = due


def finalize(account: Account, invoice: Obj) -> None:
    """Make a draft final: numbered, its customer balance used, its payment intent ready."""
    customer = account.store.one(invoice["customer"])
    invoice_items.bill(account, invoice)
    total_up(account, invoice)
    now = account.now_of(invoice)
    balance = invoice["total"] + invoice["starting_balance"]
    invoice |= {
        "status": "open",
        "number": f"{customer['invoice_prefix']}-{customer['next_invoice_sequence']:04}",
        "automatically_finalizes_at": None,
        "effective_at": now,
        "ending_balance": min(balance, 0),
        "hosted_invoice_url": f"https://invoice.stripe.com/i/acct_simulated/{invoice['id']}",
        "invoice_pdf": f"https://pay.stripe.com/invoice/acct_simulated/{invoice['id']}/pdf",
    }
    invoice["status_transitions"]["finalized_at"] = now
    if invoice["collection_method"] == "send_invoice":
        invoice["due_date"] = invoice["due_date"] or now + DAY * (invoice["_days_until_due"] or 30)
    customer["next_invoice_sequence"] += 1
    customer["balance"] = min(balance, 0)
    customer["currency"] = customer["currency"] or invoice["currency"]
    events.updated(account, customer)
    events.updated(account, invoice)
    events.record(account, "invoice.finalized", invoice)
    if invoice["amount_due"] > 0:
        payments.open_intent(account, invoice)


def _parent(subscription: Obj | None) -> dict[str, Any] | None:
    if subscription is None:
        return None
    return {
        "type": "subscription_details",
        "quote_details": None,
        "subscription_details": {
            "metadata": copied(subscription["metadata"]),
            "subscription": subscription["id"],
        },
    }


_EMPTY: Final = (
    "account_tax_ids application custom_fields customer_account default_source description "
    "due_date effective_at ending_balance footer from_invoice hosted_invoice_url invoice_pdf "
    "last_finalization_error latest_revision next_payment_attempt number on_behalf_of "
    "receipt_number rendering shipping_cost shipping_details statement_descriptor"
).split()
"""What a draft leaves unset."""


def _blank(identifier: str, customer: Obj, reason: str, now: int) -> Obj:
    return {
        **dict.fromkeys(_EMPTY),
        "id": identifier,
        "object": "invoice",
        "account_country": "US",
        "account_name": "Simulated account",
        "amount_due": 0,
        "amount_overpaid": 0,
        "amount_paid": 0,
        "amount_remaining": 0,
        "amount_shipping": 0,
        "attempt_count": 0,
        "attempted": False,
        "automatic_tax": {
            "disabled_reason": None,
            "enabled": False,
            "liability": None,
            "provider": None,
            "status": None,
        },
        "billing_reason": reason,
        "created": now,
        "customer": customer["id"],
        "customer_address": copied(customer["address"]),
        "customer_email": customer["email"],
        "customer_name": customer["name"],
        "customer_phone": customer["phone"],
        "customer_shipping": copied(customer["shipping"]),
        "customer_tax_exempt": customer["tax_exempt"],
        "customer_tax_ids": [],
        "default_tax_rates": [],
        "discounts": [],
        "issuer": {"type": "self"},
        "livemode": False,
        "metadata": {},
        "payment_settings": {
            "default_mandate": None,
            "payment_method_options": None,
            "payment_method_types": None,
        },
        "post_payment_credit_notes_amount": 0,
        "pre_payment_credit_notes_amount": 0,
        "starting_balance": 0,
        "status": "draft",
        "status_transitions": dict.fromkeys(
            ("finalized_at", "marked_uncollectible_at", "paid_at", "voided_at")
        ),
        "test_clock": customer["test_clock"],
        "total_discount_amounts": [],
        "total_pretax_credit_amounts": [],
        "total_taxes": [],
        "webhooks_delivered_at": now,
    }
