"""Pauses: a subscription that stands still, bills nothing, and can be taken up again."""

from __future__ import annotations

from typing import Any

from simulation.stripe import events
from simulation.stripe.account import Account
from simulation.stripe.store import Obj


def enter_pause(account: Account, subscription: Obj, cause: str) -> None:
    """Stand still from now on."""
    subscription["status"] = "paused"
    subscription["status_details"] = {
        "paused": {
            "subscription": {"type": cause},
            "transitioned_at": account.now_of(subscription),
            "type": "subscription",
        }
    }
    events.updated(account, subscription)
    events.record(account, "customer.subscription.paused", subscription)


def leave_pause(account: Account, subscription: Obj) -> None:
    """Move again."""
    subscription |= {"status": "active", "status_details": None}
    events.updated(account, subscription)
    events.record(account, "customer.subscription.resumed", subscription)


def collection_pause(given: Any) -> Obj | None:
    """The `pause_collection` of a parameter; empty means that collection goes on."""
    if not given:
        return None
    return {"behavior": given["behavior"], "resumes_at": given.get("resumes_at")}
