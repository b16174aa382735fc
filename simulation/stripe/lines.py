"""Invoice lines: what is charged or given back, for which item and which time."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from ledger.clock import from_unix
from simulation.stripe.account import Account
from simulation.stripe.prices import amount_of
from simulation.stripe.store import Obj, copied

_WHOLE: Final = frozenset("bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf".split())
"""Currencies without a minor unit."""


@dataclass(frozen=True)
class Line:
    """A line to be: an amount in minor units over a half-open span of time."""

    amount: int
    start: int
    end: int
    description: str
    currency: str
    price: Obj | None = None
    quantity: int = 1
    item: Obj | None = None
    proration: bool = False
    credits: Obj | None = None
    """The earlier line that a proration gives back."""
    invoice_item: str | None = None
    subscription: str | None = None
    metadata: dict[str, str] = field(default_factory=dict)


def add(account: Account, invoice: Obj, line: Line) -> Obj:
    """Write a line on a draft invoice."""
    kept: Obj = {
        "id": account.ids.new("il"),
        "object": "line_item",
        "amount": line.amount,
        "currency": line.currency,
        "description": line.description,
        "discount_amounts": [],
        "discountable": not line.proration,
        "discounts": [],
        "invoice": invoice["id"],
        "livemode": False,
        "metadata": copied(line.metadata),
        "parent": _parent(line),
        "period": {"start": line.start, "end": line.end},
        "pretax_credit_amounts": [],
        "pricing": pricing(line.price),
        "quantity": line.quantity,
        "quantity_decimal": str(line.quantity),
        "subscription": line.subscription,
        "subtotal": line.amount,
        "taxes": [],
    }
    parents = [invoice["id"], *([line.item["id"]] if line.item else [])]
    return account.store.add(kept, under=tuple(parents))


def pricing(price: Obj | None) -> dict[str, Any] | None:
    if price is None:
        return None
    return {
        "type": "price_details",
        "price_details": {"price": price["id"], "product": price["product"]},
        "unit_amount_decimal": price["unit_amount_decimal"],
    }


def for_period(account: Account, item: Obj, start: int, end: int) -> Line:
    """An item's charge for one whole period."""
    price = account.store.one(item["price"])
    return Line(
        amount_of(price, item["quantity"]),
        start,
        end,
        f"{item['quantity']} × {_name(account, price)} ({_terms(price)})",
        price["currency"],
        price,
        item["quantity"],
        item,
        subscription=item["subscription"],
    )


def for_trial(account: Account, item: Obj, start: int, end: int) -> Line:
    """An item's free line for its trial."""
    price = account.store.one(item["price"])
    return Line(
        0,
        start,
        end,
        f"Trial period for {_name(account, price)}",
        price["currency"],
        price,
        item["quantity"],
        item,
        subscription=item["subscription"],
    )


def for_rest(
    account: Account, item: Obj, at: int, whole: tuple[int, int], *, credit: bool = False
) -> Line:
    """An item's share of a period from an instant to the period's end, charged or given back."""
    price = account.store.one(item["price"])
    start, end = whole
    share = _share(amount_of(price, item["quantity"]), end - max(at, start), end - start)
    title = f"{item['quantity']} × {_name(account, price)}"
    day = from_unix(at).strftime("%d %b %Y")
    words = (
        f"Unused time on {title} after {day}"
        if credit
        else f"Remaining time on {title} after {day}"
    )
    return Line(
        -share if credit else share,
        max(at, start),
        end,
        words,
        price["currency"],
        price,
        item["quantity"],
        item,
        proration=True,
        credits=_last_debit(account, item) if credit else None,
        subscription=item["subscription"],
    )


def _share(amount: int, part: int, whole: int) -> int:
    """A part of a non-negative amount, rounded half up."""
    return (2 * amount * part + whole) // (2 * whole)


def _last_debit(account: Account, item: Obj) -> Obj | None:
    debits = [line for line in account.store.under(item["id"], "line_item") if line["amount"] > 0]
    return debits[-1] if debits else None


def _parent(line: Line) -> dict[str, Any]:
    credited = line.credits and {
        "invoice": line.credits["invoice"],
        "invoice_line_items": [line.credits["id"]],
    }
    details = {
        "invoice_item": line.invoice_item,
        "proration": line.proration,
        "proration_details": {"credited_items": credited} if line.proration else None,
        "subscription": line.subscription,
    }
    if line.item is None:
        return {
            "type": "invoice_item_details",
            "invoice_item_details": details,
            "subscription_item_details": None,
        }
    return {
        "type": "subscription_item_details",
        "invoice_item_details": None,
        "subscription_item_details": {**details, "subscription_item": line.item["id"]},
    }


def _name(account: Account, price: Obj) -> str:
    return str(account.store.one(price["product"])["name"])


def _terms(price: Obj) -> str:
    recurring, currency = price["recurring"], price["currency"]
    count, interval = recurring["interval_count"], recurring["interval"]
    every = interval if count == 1 else f"{count} {interval}s"
    amount = Decimal(price["unit_amount_decimal"])
    major = amount if currency in _WHOLE else amount / 100
    return f"at {major:.{0 if currency in _WHOLE else 2}f} {currency.upper()} / {every}"
