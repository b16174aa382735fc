"""How kept objects look from outside: embedded lists and objects put in, private keys left out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from simulation.stripe.account import Account
from simulation.stripe.store import Obj, copied

_EMBEDDED_LINES: Final = 10


def render(account: Account, obj: Obj) -> Obj:
    """An object as Stripe sends it when nothing is expanded."""
    if obj.get("deleted"):
        return {"id": obj["id"], "object": obj["object"], "deleted": True}
    shown = {key: copied(value) for key, value in obj.items() if not key.startswith("_")}
    complete = _COMPLETIONS.get(obj["object"])
    if complete:
        complete(account, shown)
    return shown


def page(data: list[Obj], url: str, *, has_more: bool = False) -> Obj:
    return {"object": "list", "data": data, "has_more": has_more, "url": url}


def _subscription(account: Account, shown: Obj) -> None:
    items = account.store.under(shown["id"], "subscription_item")
    url = f"/v1/subscription_items?subscription={shown['id']}"
    shown["items"] = page([render(account, item) for item in items], url)


def _subscription_item(account: Account, shown: Obj) -> None:
    price = account.store.one(shown["price"])
    shown["price"] = render(account, price)
    shown["plan"] = _plan(price)


def _invoice(account: Account, shown: Obj) -> None:
    lines = account.store.under(shown["id"], "line_item")
    shown["lines"] = page(
        [render(account, line) for line in lines[:_EMBEDDED_LINES]],
        f"/v1/invoices/{shown['id']}/lines",
        has_more=len(lines) > _EMBEDDED_LINES,
    )


def _plan(price: Obj) -> dict[str, Any]:
    """A recurring price in the older words that items still carry."""
    recurring = price["recurring"]
    return {
        "id": price["id"],
        "object": "plan",
        "active": price["active"],
        "amount": price["unit_amount"],
        "amount_decimal": price["unit_amount_decimal"],
        "billing_scheme": price["billing_scheme"],
        "created": price["created"],
        "currency": price["currency"],
        "interval": recurring["interval"],
        "interval_count": recurring["interval_count"],
        "livemode": False,
        "metadata": copied(price["metadata"]),
        "meter": recurring["meter"],
        "nickname": price["nickname"],
        "product": price["product"],
        "tiers_mode": price["tiers_mode"],
        "transform_usage": None,
        "trial_period_days": recurring["trial_period_days"],
        "usage_type": recurring["usage_type"],
    }


_COMPLETIONS: Final[dict[str, Callable[[Account, Obj], None]]] = {
    "subscription": _subscription,
    "subscription_item": _subscription_item,
    "invoice": _invoice,
}
