"""What is due and when: the diary by which a clock that is advanced makes things happen."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from simulation.stripe.account import Account
    from simulation.stripe.store import Obj


@dataclass(frozen=True)
class Step:
    """Something that will happen to an object by itself, and when (unix seconds)."""

    at: int
    run: Callable[[Account, Obj], None]


class Agenda:
    """One open entry per object: the next instant at which something happens to it.

    Each test clock keeps a diary of its own; `None` is the diary of the simulator's clock. Entries
    of the same instant happen in the order of the objects' birth.
    """

    def __init__(self) -> None:
        self._diaries: dict[str | None, list[tuple[int, int, str]]] = {}
        self._due: dict[str, int] = {}

    def put(self, clock: str | None, due: int | None, birth: int, identifier: str) -> None:
        """Replace an object's entry; `None` strikes it out."""
        if due is None:
            self._due.pop(identifier, None)
            return
        if self._due.get(identifier) == due:
            return
        self._due[identifier] = due
        heapq.heappush(self._diaries.setdefault(clock, []), (due, birth, identifier))

    def take(self, clock: str | None, until: int) -> tuple[int, str] | None:
        """Strike out and return the earliest entry at or before an instant."""
        diary = self._diaries.get(clock, [])
        while diary and diary[0][0] <= until:
            due, _, identifier = heapq.heappop(diary)
            if self._due.get(identifier) == due:
                del self._due[identifier]
                return due, identifier
        return None
