"""Pages of lists: newest first, cut by `limit`, moved by `starting_after` and `ending_before`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from simulation.stripe.account import Account, Call
from simulation.stripe.errors import invalid_request, no_such
from simulation.stripe.store import Obj

_DEFAULT_LIMIT: Final = 10
_MOST: Final = 100
_COMPARE: Final[dict[str, Callable[[int, int], bool]]] = {
    "gt": lambda value, bound: value > bound,
    "gte": lambda value, bound: value >= bound,
    "lt": lambda value, bound: value < bound,
    "lte": lambda value, bound: value <= bound,
}


@dataclass(frozen=True)
class Page:
    """One page of a collection, its objects not yet rendered."""

    data: list[Obj]
    has_more: bool
    url: str


def listed(
    account: Account,
    call: Call,
    newest_first: Iterable[Obj],
    keep: Callable[[Obj], bool] = lambda _: True,
    *,
    equal: tuple[str, ...] = (),
) -> Page:
    """The page a caller asked for.

    `equal` names the parameters that filter by equality with the field of the same name; a
    `created` parameter always filters by time.
    """
    limit = call.get("limit", _DEFAULT_LIMIT)
    if not 1 <= limit <= _MOST:
        word = "greater than or equal to 1" if limit < 1 else f"less than or equal to {_MOST}"
        raise invalid_request(
            f"Invalid integer: {limit} must be {word}",
            param="limit",
            code="parameter_invalid_integer",
        )
    wanted = {name: call.get(name) for name in equal if call.given(name)}
    chosen = [
        obj
        for obj in newest_first
        if all(obj[name] == value for name, value in wanted.items())
        and is_within(obj.get("created", 0), call.get("created"))
        and keep(obj)
    ]
    return _cut(account, call, chosen, limit)


def is_within(value: int | None, bounds: int | dict[str, int] | None) -> bool:
    """Whether an instant is the one asked for, or inside the range asked for."""
    if bounds is None:
        return True
    if value is None:
        return False
    if isinstance(bounds, int):
        return value == bounds
    return all(_COMPARE[name](value, bound) for name, bound in bounds.items())


def _cut(account: Account, call: Call, chosen: list[Obj], limit: int) -> Page:
    after, before = call.get("starting_after"), call.get("ending_before")
    if after and before:
        raise invalid_request(
            "You can only specify one of these parameters: starting_after, ending_before."
        )
    if after:
        cursor = _cursor(account, after, "starting_after")
        chosen = [obj for obj in chosen if account.store.birth(obj["id"]) < cursor]
    if before:
        cursor = _cursor(account, before, "ending_before")
        chosen = [obj for obj in chosen if account.store.birth(obj["id"]) > cursor]
        return Page(chosen[-limit:], len(chosen) > limit, call.url)
    return Page(chosen[:limit], len(chosen) > limit, call.url)


def _cursor(account: Account, identifier: str, param: str) -> int:
    obj = account.store.get(identifier)
    if obj is None:
        raise no_such("object", identifier, param=param, status=400)
    return account.store.birth(identifier)
