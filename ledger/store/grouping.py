"""Natural group commit: what queues up while one commit is in flight becomes the next group.

An idle log commits at once, on its caller's thread. Nobody ever waits for company.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Hashable, Sequence
from typing import Generic, Protocol, TypeVar


class Claiming(Protocol):
    """Something that writes things no other of its group may write."""

    @property
    def claims(self) -> frozenset[Hashable]: ...

    @property
    def count(self) -> int: ...


Item = TypeVar("Item", bound=Claiming)
Outcome = TypeVar("Outcome")


class _Ticket(Generic[Item, Outcome]):
    """One caller's place: it sleeps on `wake` until it has an outcome or a group to lead."""

    __slots__ = ("item", "lead", "outcome", "wake")

    def __init__(self, item: Item) -> None:
        self.item = item
        self.lead: list[_Ticket[Item, Outcome]] | None = None
        self.outcome: Outcome | BaseException | None = None
        self.wake = threading.Lock()
        self.wake.acquire()


class Grouping(Generic[Item, Outcome]):
    """Callers share commits, at most `lanes` of them in flight.

    `run` takes a group and returns an outcome for each member; an outcome that is an exception is
    raised to its own caller alone.
    """

    def __init__(
        self,
        run: Callable[[Sequence[Item]], Sequence[Outcome | Exception]],
        *,
        lanes: int,
        most: int,
    ) -> None:
        self._run = run
        self._most = most
        self._lock = threading.Lock()
        self._free = lanes
        self._waiting: deque[_Ticket[Item, Outcome]] = deque()

    def submit(self, item: Item) -> Outcome:
        """Have an item run in some group and return its outcome."""
        ticket: _Ticket[Item, Outcome] = _Ticket(item)
        with self._lock:
            if self._free:
                self._free -= 1
                ticket.lead = [ticket]
            else:
                self._waiting.append(ticket)
        if ticket.lead is None:
            ticket.wake.acquire()
        if ticket.lead is not None:
            self._lead(ticket.lead)
        outcome = ticket.outcome
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome  # type: ignore[return-value]  # a ticket that woke has its outcome

    def _lead(self, group: list[_Ticket[Item, Outcome]]) -> None:
        outcomes: Sequence[Outcome | BaseException]
        try:
            outcomes = self._run([ticket.item for ticket in group])
        except BaseException as error:  # noqa: BLE001  # every member must hear of it
            outcomes = [error] * len(group)
        self._pass_on()
        for ticket, outcome in zip(group, outcomes, strict=True):
            ticket.outcome = outcome
            if ticket is not group[0]:
                ticket.wake.release()

    def _pass_on(self) -> None:
        """Give the lane to the first who waits, with everyone who may go along."""
        with self._lock:
            group = self._next_group()
            if not group:
                self._free += 1
                return
        leader = group[0]
        leader.lead = group
        leader.wake.release()

    def _next_group(self) -> list[_Ticket[Item, Outcome]]:
        group: list[_Ticket[Item, Outcome]] = []
        later: list[_Ticket[Item, Outcome]] = []
        claimed: set[Hashable] = set()
        weight = 0
        while self._waiting and weight < self._most:
            ticket = self._waiting.popleft()
            if claimed.isdisjoint(ticket.item.claims):
                claimed |= ticket.item.claims
                weight += 1 + ticket.item.count
                group.append(ticket)
            else:
                later.append(ticket)
        self._waiting.extendleft(reversed(later))
        return group
