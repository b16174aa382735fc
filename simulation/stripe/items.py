"""Subscription items: a price and a quantity inside a subscription, with a period of their own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from simulation.stripe.account import Account
from simulation.stripe.cycles import Cycle
from simulation.stripe.errors import invalid_request, missing_parameter
from simulation.stripe.metadata import merged
from simulation.stripe.prices import amount_of, make
from simulation.stripe.store import Obj


@dataclass(frozen=True)
class Change:
    """What an update asks of one item: a new one, other terms for an old one, or its end."""

    item: Obj | None
    price: Obj
    quantity: int
    removed: bool = False
    metadata: Any = None

    @property
    def alters_terms(self) -> bool:
        return (
            self.item is None
            or self.removed
            or self.item["price"] != self.price["id"]
            or self.item["quantity"] != self.quantity
        )

    @property
    def amount(self) -> int:
        """What the changed item costs for a whole period, in minor units."""
        return 0 if self.removed else amount_of(self.price, self.quantity)


def asked(account: Account, given: list[dict[str, Any]], subscription: Obj | None) -> list[Change]:
    """The changes that an `items` parameter asks for; the new subscription's items at creation."""
    currency = subscription["currency"] if subscription else None
    changes = []
    for index, entry in enumerate(given):
        change = _change(account, entry, subscription, f"items[{index}]")
        currency = currency or change.price["currency"]
        if change.price["currency"] != currency:
            raise invalid_request(
                "All prices on a subscription must have the same currency.",
                param=f"items[{index}][price]",
            )
        changes.append(change)
    return changes


def create(account: Account, subscription: Obj, change: Change) -> Obj:
    """A new item; its period is the caller's to set."""
    now = account.now_of(subscription)
    item: Obj = {
        "id": account.ids.new("si"),
        "object": "subscription_item",
        "billing_thresholds": None,
        "created": now,
        "current_period_end": now,
        "current_period_start": now,
        "discounts": [],
        "metadata": merged({}, change.metadata),
        "price": change.price["id"],
        "quantity": change.quantity,
        "subscription": subscription["id"],
        "tax_rates": [],
    }
    return account.store.add(item, under=(subscription["id"],))


def apply(account: Account, subscription: Obj, change: Change) -> Obj:
    """Make one change true and return its item."""
    if change.item is None:
        return create(account, subscription, change)
    item = change.item
    item["price"], item["quantity"] = change.price["id"], change.quantity
    item["metadata"] = merged(item["metadata"], change.metadata)
    if change.removed:
        item["deleted"] = True
    return item


def of(account: Account, subscription: Obj) -> list[Obj]:
    return account.store.under(subscription["id"], "subscription_item")


def cycle(account: Account, subscription: Obj, price: Obj | str) -> Cycle:
    """The rhythm in which a price is billed within a subscription."""
    terms = account.store.one(price) if isinstance(price, str) else price
    recurring = terms["recurring"]
    config = subscription["billing_cycle_anchor_config"] or {}
    return Cycle(
        subscription["billing_cycle_anchor"],
        recurring["interval"],
        recurring["interval_count"],
        config.get("day_of_month"),
    )


def set_period(item: Obj, start: int, end: int) -> None:
    item["current_period_start"], item["current_period_end"] = start, end


def next_end(account: Account, subscription: Obj) -> int:
    """The earliest end of a running period among a subscription's items."""
    return min(int(item["current_period_end"]) for item in of(account, subscription))


def last_end(account: Account, subscription: Obj) -> int:
    return max(int(item["current_period_end"]) for item in of(account, subscription))


def _change(account: Account, entry: dict[str, Any], subscription: Obj | None, path: str) -> Change:
    item = None
    if entry.get("id"):
        item = account.find("subscription_item", entry["id"], param=f"{path}[id]")
        if subscription is None or item["subscription"] != subscription["id"]:
            raise invalid_request(
                f"The subscription item {entry['id']} belongs to another subscription.",
                param=f"{path}[id]",
            )
    price = _price(account, entry, item, path)
    default: int = item["quantity"] if item else 1
    quantity: int = entry.get("quantity", default)
    if quantity < 0:
        raise invalid_request("Invalid non-negative integer", param=f"{path}[quantity]")
    return Change(item, price, quantity, bool(entry.get("deleted")), entry.get("metadata"))


def _price(account: Account, entry: dict[str, Any], item: Obj | None, path: str) -> Obj:
    if entry.get("price"):
        price = account.find("price", entry["price"], param=f"{path}[price]")
    elif entry.get("price_data"):
        data = entry["price_data"]
        account.find("product", data["product"], param=f"{path}[price_data][product]")
        price = make(account, data["product"], data)
    elif item:
        price = account.store.one(item["price"])
    else:
        raise missing_parameter(f"{path}[price]")
    if price["type"] != "recurring":
        raise invalid_request(
            "The price specified is set to `type=one_time` but this field only accepts prices "
            "with `type=recurring`.",
            param=f"{path}[price]",
        )
    if not price["active"] and not (item and item["price"] == price["id"]):
        raise invalid_request(
            f"The price specified is inactive: {price['id']}.", param=f"{path}[price]"
        )
    return price
