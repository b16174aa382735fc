"""Events: what happened in the account, as it was at that moment."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Any, Final

from simulation.stripe.account import Account, Call
from simulation.stripe.cycles import DAY
from simulation.stripe.errors import invalid_request
from simulation.stripe.paging import Page, listed
from simulation.stripe.render import render
from simulation.stripe.routing import LIST, Route
from simulation.stripe.schema import installed_contract
from simulation.stripe.store import Obj, copied
from simulation.stripe.validation import validate

_MOST_TYPES: Final = 20
_KEPT_FOR: Final = 30 * DAY
NOUNS: Final = {
    "subscription": "customer.subscription",
    "test_helpers.test_clock": "test_helpers.test_clock",
}
"""Where an event's name is not the object's name."""
_SILENT: Final = {"customer": {"next_invoice_sequence"}}
"""What may change without being news by itself."""


def created(account: Account, obj: Obj) -> None:
    record(account, f"{_noun(obj)}.created", obj)


def deleted(account: Account, obj: Obj) -> None:
    record(account, f"{_noun(obj)}.deleted", obj)


def updated(account: Account, obj: Obj) -> None:
    """Tell what changed in an object since it was told of last; nothing if nothing did.

    Because each change is told against the newest event, `previous_attributes` lead back through
    an object's events without a gap.
    """
    previous = untold(account, obj)
    if previous:
        record(account, f"{_noun(obj)}.updated", obj, previous=previous)


def untold(account: Account, obj: Obj) -> Obj:
    """The old values of what changed since the newest event about an object."""
    before = account.told.get(obj["id"])
    if before is None:
        return {}
    previous = difference(before, render(account, obj))
    return previous if set(previous) - _SILENT.get(obj["object"], set()) else {}


def recall(account: Account) -> None:
    """Learn from the kept events what has been told, after a restart."""
    for event in reversed(list(account.store.newest("event"))):
        snapshot = event["data"]["object"]
        account.told[snapshot["id"]] = snapshot


def record(
    account: Account,
    kind: str,
    obj: Obj,
    *,
    previous: Obj | None = None,
    at: int | None = None,
) -> Obj:
    """Write one event of an object as it is now, and put it in the outbox."""
    snapshot = render(account, obj)
    validate(snapshot)
    call = account.call
    owed = [
        endpoint["id"]
        for endpoint in account.store.newest("webhook_endpoint")
        if _is_wanted(endpoint, kind)
    ]
    event: Obj = {
        "id": account.ids.new("evt"),
        "object": "event",
        "api_version": installed_contract().api_version,
        "created": account.now_of(obj) if at is None else at,
        "data": {"object": snapshot},
        "livemode": False,
        "pending_webhooks": len(owed),
        "request": {
            "id": call.request_id if call else None,
            "idempotency_key": call.idempotency_key if call else None,
        },
        "type": kind,
    }
    if previous is not None:
        event["data"]["previous_attributes"] = previous
    validate(event)
    event |= {"_owed": owed, "_told_at": account.now}
    account.store.add(event)
    account.outbox.append(event)
    account.touched[obj["id"]] = None
    account.told[obj["id"]] = snapshot
    return event


def _is_wanted(endpoint: Obj, kind: str) -> bool:
    """Whether a webhook endpoint is told of events of this type."""
    wanted = endpoint["enabled_events"]
    return endpoint["status"] == "enabled" and ("*" in wanted or kind in wanted)


def difference(before: Obj, after: Obj) -> Obj:
    """The old values of what changed; a key that is new counts as null before."""
    previous: Obj = {}
    for key in [*before, *(key for key in after if key not in before)]:
        old, new = before.get(key), after.get(key)
        if old == new:
            continue
        nested = isinstance(old, dict) and isinstance(new, dict)
        previous[key] = difference(old, new) if nested else copied(old)  # type: ignore[arg-type]
    return previous


def _noun(obj: Obj) -> str:
    kind: str = obj["object"]
    return NOUNS.get(kind, kind)


def retrieve(account: Account, call: Call) -> Obj:
    return account.find("event", call.path["id"])


def list_events(account: Account, call: Call) -> Page:
    """Events of the last 30 days, the newest first."""
    if len(call.get("types", [])) > _MOST_TYPES:
        raise invalid_request(f"You may list at most {_MOST_TYPES} types.", param="types")
    wanted: Any = call.get("types") or ([call.params["type"]] if call.get("type") else None)
    succeeded = call.get("delivery_success")

    def keep(event: Obj) -> bool:
        if wanted and not any(fnmatchcase(event["type"], kind) for kind in wanted):
            return False
        if event["_told_at"] < account.now - _KEPT_FOR:
            return False
        return succeeded is None or succeeded == (event["pending_webhooks"] == 0)

    return listed(account, call, account.store.newest("event"), keep)


ROUTES = (
    Route(
        "GET",
        "/v1/events",
        list_events,
        "EventListParams",
        f"{LIST} created type types delivery_success",
    ),
    Route("GET", "/v1/events/{id}", retrieve, "EventRetrieveParams"),
)
