"""One Stripe account in test mode: its objects, its time, its habits, its news."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from simulation.stripe.agenda import Agenda
from simulation.stripe.cycles import DAY
from simulation.stripe.errors import no_such
from simulation.stripe.idempotency import IdempotencyKeys
from simulation.stripe.ids import IdSource
from simulation.stripe.store import Obj, Store


@dataclass
class Habits:
    """The account's billing settings, as an owner sets them in Stripe's Dashboard."""

    retry_after: tuple[int, ...] = (3 * DAY, 5 * DAY, 7 * DAY)
    """Seconds from each failed collection to the next try."""
    after_last_retry: Literal["cancel", "unpaid", "past_due", "pause"] = "cancel"
    upcoming_notice: int = 7 * DAY
    """Seconds before a renewal at which `invoice.upcoming` is told."""


@dataclass(frozen=True)
class Call:
    """One request: its typed parameters, the ids in its path, and how it is known."""

    params: dict[str, Any]
    path: dict[str, str] = field(default_factory=dict)
    url: str = ""
    request_id: str = ""
    idempotency_key: str | None = None

    def get(self, name: str, default: Any = None) -> Any:
        """A parameter; one that was sent empty counts as absent."""
        value = self.params.get(name)
        return default if value is None or value == "" else value

    def given(self, name: str) -> bool:
        """Whether a parameter was sent at all, be it empty."""
        return name in self.params


class Account:
    """The state that every handler reads and changes; one thread at a time."""

    def __init__(self, seed: int, start: int, habits: Habits | None = None) -> None:
        self.store = Store()
        self.ids = IdSource(seed)
        self.agenda = Agenda()
        self.habits = habits or Habits()
        self.keys = IdempotencyKeys()
        self.now = start
        self.call: Call | None = None
        self.outbox: list[Obj] = []
        """Events that nobody has been told of yet."""
        self.told: dict[str, Obj] = {}
        """Every object as the newest event about it showed it."""
        self.touched: dict[str, None] = {}
        """Objects whose next step may have changed."""
        self.revision = 0
        """Counts changes, so that a keeper knows when to write."""

    def clock_of(self, obj: Obj) -> str | None:
        """The test clock an object lives by; `None` is the simulator's own clock."""
        if "test_clock" in obj:
            clock: str | None = obj["test_clock"]
            return clock
        for parent in ("customer", "subscription", "invoice"):
            if obj.get(parent):
                return self.clock_of(self.store.one(obj[parent]))
        return None

    def now_of(self, obj: Obj) -> int:
        """The present for an object (unix seconds)."""
        clock = self.clock_of(obj)
        return self.now if clock is None else int(self.store.one(clock)["frozen_time"])

    def find(self, kind: str, identifier: str, *, param: str | None = None) -> Obj:
        """A living object by id: 404 when it was the address, 400 when it was a parameter."""
        obj = self.store.get(identifier)
        if obj is None or obj["object"] != kind or obj.get("deleted"):
            word = kind.rpartition(".")[2].replace("_", "")
            raise no_such(word, identifier, param=param or "id", status=400 if param else 404)
        return obj

    def dump(self) -> Obj:
        """The whole account as one JSON value."""
        return {
            "seed": self.ids.seed,
            "counters": self.ids.counters,
            "now": self.now,
            "store": self.store.dump(),
            "keys": self.keys.dump(),
        }

    @classmethod
    def load(cls, dumped: Obj, habits: Habits | None = None) -> Account:
        account = cls(dumped["seed"], dumped["now"], habits)
        account.ids.counters = dumped["counters"]
        account.store = Store.load(dumped["store"])
        account.keys = IdempotencyKeys.load(dumped["keys"])
        return account
