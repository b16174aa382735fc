"""Expansion: references replaced by the objects they name, where the caller asked for it."""

from __future__ import annotations

from typing import Any, Final

from simulation.stripe.account import Account
from simulation.stripe.errors import invalid_request
from simulation.stripe.render import page, render
from simulation.stripe.schema import installed_contract
from simulation.stripe.shapes import Expandable, Nullable, Record, Shape
from simulation.stripe.store import Obj

_DEEPEST: Final = 4


def expand(account: Account, shown: Obj, paths: list[str]) -> Obj:
    """A rendered object with the given paths expanded, in place."""
    for path in paths:
        steps = path.split(".")
        if len(steps) > _DEEPEST + (shown["object"] == "list"):
            raise invalid_request(
                f"You cannot expand more than {_DEEPEST} levels of a property. Property: {path}",
                param="expand",
            )
        _walk(account, shown, _shape_of(shown), steps, path)
    return shown


def _walk(account: Account, value: Any, shape: Shape | None, steps: list[str], path: str) -> None:
    if not steps or value is None:
        return
    if isinstance(value, list):
        for element in value:
            _walk(account, element, _shape_of(element) or shape, steps, path)
        return
    if not isinstance(value, dict):
        raise _refusal(path)
    name, *rest = steps
    if (value.get("object"), name) in _INCLUDED:
        value[name] = _include(account, value, name)
    elif name not in value:
        raise _refusal(path)
    inner = _field(shape, name)
    if isinstance(value[name], str):
        if not isinstance(inner, Expandable):
            raise _refusal(path)
        value[name] = render(account, account.store.one(value[name]))
    if not rest and value[name] is not None and not isinstance(value[name], dict | list):
        raise _refusal(path)
    _walk(account, value[name], _shape_of(value[name]) or inner, rest, path)


def _shape_of(value: Any) -> Shape | None:
    if not isinstance(value, dict) or value.get("object") in (None, "list"):
        return None
    return installed_contract().record(value["object"])


def _field(shape: Shape | None, name: str) -> Shape | None:
    if isinstance(shape, Nullable):
        return _field(shape.inner, name)
    if not isinstance(shape, Record) or name not in shape.fields:
        return None
    found = shape.fields[name].shape
    return found.inner if isinstance(found, Nullable) else found


def _refusal(path: str) -> Exception:
    return invalid_request(f"This property cannot be expanded ({path}).", param="expand")


def _include(account: Account, owner: Obj, name: str) -> Any:
    """A field that exists only when it is asked for."""
    identifier = owner["id"]
    if name == "payments":
        payments = account.store.under(identifier, "invoice_payment")
        shown = [render(account, payment) for payment in payments]
        return page(shown, f"/v1/invoice_payments?invoice={identifier}")
    if name == "confirmation_secret":
        intents = account.store.under(identifier, "payment_intent")
        if not intents:
            return None
        return {"client_secret": intents[-1]["client_secret"], "type": "payment_intent"}
    if name == "subscriptions":
        living = [
            render(account, subscription)
            for subscription in account.store.newest_under(identifier, "subscription")
            if subscription["status"] not in ("canceled", "incomplete_expired")
        ]
        return page(living, f"/v1/customers/{identifier}/subscriptions")
    return page([], f"/v1/{owner['object']}s/{identifier}/{name}")


_INCLUDED: Final = {
    ("invoice", "payments"),
    ("invoice", "confirmation_secret"),
    ("customer", "subscriptions"),
    ("customer", "sources"),
    ("customer", "tax_ids"),
    ("charge", "refunds"),
}
