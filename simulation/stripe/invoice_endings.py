"""How an invoice ends without money: voided, or given up as uncollectible."""

from __future__ import annotations

from simulation.stripe import events, payments
from simulation.stripe.account import Account
from simulation.stripe.store import Obj


def void(account: Account, invoice: Obj) -> None:
    """Declare a final invoice a mistake; nothing was owed."""
    _close(account, invoice, "void", "voided_at")
    payments.cancel_intent(account, invoice, "void_invoice")
    events.updated(account, invoice)
    events.record(account, "invoice.voided", invoice)


def mark_uncollectible(account: Account, invoice: Obj, reason: str = "user_forgiven") -> None:
    """Give an invoice up; it may still be paid one day."""
    _close(account, invoice, "uncollectible", "marked_uncollectible_at")
    invoice["status_details"] = {"uncollectible": {"reason": reason}}
    events.updated(account, invoice)
    events.record(account, "invoice.marked_uncollectible", invoice)


def _close(account: Account, invoice: Obj, status: str, transition: str) -> None:
    invoice |= {
        "status": status,
        "auto_advance": False,
        "automatically_finalizes_at": None,
        "next_payment_attempt": None,
    }
    invoice["status_transitions"][transition] = account.now_of(invoice)
