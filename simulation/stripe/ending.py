"""The end of a subscription: asked for, scheduled, or earned by not paying."""

from __future__ import annotations

from typing import Any, Final

from simulation.stripe import events
from simulation.stripe.account import Account
from simulation.stripe.store import Obj

ENDED: Final = frozenset({"canceled", "incomplete_expired"})


def cancel(
    account: Account,
    subscription: Obj,
    *,
    reason: str | None,
    details: dict[str, Any] | None = None,
) -> None:
    """End a subscription now; what was billed and not yet paid is no longer collected."""
    now = account.now_of(subscription)
    known = subscription["cancellation_details"]
    subscription |= {
        "status": "canceled",
        "cancel_at_period_end": False,
        "canceled_at": subscription["canceled_at"] or now,
        "cancellation_details": {**known, "reason": reason, **(details or {})},
        "ended_at": now,
        "pause_collection": None,
        "status_details": None,
    }
    for invoice in account.store.under(subscription["id"], "invoice"):
        if invoice["status"] in ("draft", "open"):
            stop_collecting(account, invoice)
    events.deleted(account, subscription)


def stop_collecting(account: Account, invoice: Obj) -> None:
    """Leave an invoice to itself: it neither becomes final nor is it tried again."""
    invoice |= {
        "auto_advance": False,
        "automatically_finalizes_at": None,
        "next_payment_attempt": None,
    }
    events.updated(account, invoice)
