"""Time in the account: the simulator's own clock and test clocks, and what happens as they move."""

from __future__ import annotations

from typing import Final

from simulation.stripe import collection, customers, events, renewal
from simulation.stripe.account import Account, Call
from simulation.stripe.agenda import Step
from simulation.stripe.cycles import DAY
from simulation.stripe.errors import invalid_request
from simulation.stripe.paging import Page, listed
from simulation.stripe.routing import LIST, Route
from simulation.stripe.store import Obj, copied

_KEPT_FOR: Final = 30 * DAY
_STEPS: Final = {"subscription": renewal.steps, "invoice": collection.steps}


def advance(account: Account, clock: Obj | None, until: int) -> None:
    """Move a clock, letting everything due on the way happen at its own instant.

    `None` is the simulator's clock. Each happening may bring others before `until`.
    """
    name = clock["id"] if clock else None
    plan(account)
    while (entry := account.agenda.take(name, until)) is not None:
        due, identifier = entry
        _set(account, clock, max(due, _now(account, clock)))
        obj = account.store.one(identifier)
        step = _next_step(account, obj)
        if step is not None:
            step.run(account, obj)
        account.touched[identifier] = None
        plan(account)
    _set(account, clock, until)


def plan(account: Account) -> None:
    """Enter in the diaries what will happen next to everything that has just changed."""
    for identifier in account.touched:
        obj = account.store.one(identifier)
        step = _next_step(account, obj)
        due = step.at if step else None
        birth = account.store.birth(identifier)
        account.agenda.put(account.clock_of(obj), due, birth, identifier)
    account.touched.clear()


def replan_all(account: Account) -> None:
    """Fill empty diaries from the objects, after a restart."""
    for kind in _STEPS:
        account.touched |= {obj["id"]: None for obj in account.store.newest(kind)}
    plan(account)


def _next_step(account: Account, obj: Obj) -> Step | None:
    find = _STEPS.get(obj["object"])
    if find is None or obj.get("deleted"):
        return None
    # `min` keeps the first of equals, which is the order the nouns list their steps in.
    return min(find(account, obj), key=lambda step: step.at, default=None)


def _now(account: Account, clock: Obj | None) -> int:
    return account.now if clock is None else int(clock["frozen_time"])


def _set(account: Account, clock: Obj | None, instant: int) -> None:
    if clock is None:
        account.now = instant
    else:
        clock["frozen_time"] = instant


def create(account: Account, call: Call) -> Obj:
    frozen = call.params["frozen_time"]
    clock: Obj = {
        "id": account.ids.new("clock"),
        "object": "test_helpers.test_clock",
        "created": account.now,
        "deletes_after": account.now + _KEPT_FOR,
        "frozen_time": frozen,
        "livemode": False,
        "name": call.get("name"),
        "status": "ready",
        "status_details": {},
    }
    account.store.add(clock)
    events.created(account, clock)
    return clock


def retrieve(account: Account, call: Call) -> Obj:
    return account.find("test_helpers.test_clock", call.path["id"])


def delete(account: Account, call: Call) -> Obj:
    clock = account.find("test_helpers.test_clock", call.path["id"])
    for customer in account.store.under(clock["id"], "customer"):
        customers.remove(account, customer)
    events.deleted(account, clock)
    clock["deleted"] = True
    return clock


def advance_test_clock(account: Account, call: Call) -> Obj:
    """Answers `advancing`, as Stripe does; a caller who asks again finds it `ready`."""
    clock = account.find("test_helpers.test_clock", call.path["id"])
    target = call.params["frozen_time"]
    if target <= clock["frozen_time"]:
        raise invalid_request(
            "The test clock can only be advanced to a time after its current frozen time.",
            param="frozen_time",
        )
    clock |= {
        "status": "advancing",
        "status_details": {"advancing": {"target_frozen_time": target}},
    }
    events.record(account, "test_helpers.test_clock.advancing", clock)
    answer: Obj = copied(clock)
    advance(account, clock, target)
    clock |= {"status": "ready", "status_details": {}}
    events.record(account, "test_helpers.test_clock.ready", clock)
    return answer


def list_clocks(account: Account, call: Call) -> Page:
    return listed(account, call, account.store.newest("test_helpers.test_clock"))


ROUTES = (
    Route(
        "POST", "/v1/test_helpers/test_clocks", create, "TestClockCreateParams", "frozen_time name"
    ),
    Route("GET", "/v1/test_helpers/test_clocks", list_clocks, "TestClockListParams", LIST),
    Route("GET", "/v1/test_helpers/test_clocks/{id}", retrieve, "TestClockRetrieveParams"),
    Route("DELETE", "/v1/test_helpers/test_clocks/{id}", delete, "TestClockDeleteParams"),
    Route(
        "POST",
        "/v1/test_helpers/test_clocks/{id}/advance",
        advance_test_clock,
        "TestClockAdvanceParams",
        "frozen_time",
    ),
)
