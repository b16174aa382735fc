"""The inbox's commits, shared: deliveries that come at once, and marks that may come late.

A delivery is answered only when it is durable, so those that wait together commit together. A mark
that a message was folded tells nothing the log does not know: it is written a moment later with
others, and if it is lost, a sweeper folds the message again to no effect.
"""

from __future__ import annotations

import threading
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Final

from ledger.clock import Clock
from ledger.errors import Unavailable
from ledger.store.grouping import Grouping
from observability.logs import logger
from providers import inbox
from providers.inbox import Delivery, Folded, Received
from wiring.database import Database

_MOST: Final = 256
_LATER_SECONDS: Final = 0.02

_log = logger(__name__)


@dataclass(frozen=True, slots=True)
class _Arrival:
    """A delivery on its way in; the same message twice goes in one after the other."""

    delivery: Delivery
    claims: frozenset[Hashable]
    count: int = 1


class Arrivals:
    """Keeps deliveries, those that come at once in one commit."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._grouping: Grouping[_Arrival, Received] = Grouping(self._keep, most=_MOST)

    def keep(self, delivery: Delivery) -> Received:
        """Keep a delivery; Unavailable when it could not be kept."""
        return self._grouping.submit(_Arrival(delivery, frozenset({delivery.id})))

    def _keep(self, arrivals: Sequence[_Arrival]) -> list[Received]:
        with self._database.connection() as connection:
            if len(arrivals) == 1:
                return [inbox.receive(connection, arrivals[0].delivery)]
            return inbox.receive_many(connection, [one.delivery for one in arrivals])


class FoldedMarks:
    """Marks messages as folded, a moment later and several at once."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._waiting: list[Folded] = []
        self._lock = threading.Lock()
        self._flushing = threading.Lock()
        self._news = threading.Event()
        self._closed = threading.Event()
        self._thread: threading.Thread | None = None

    def add(self, folded: Folded) -> None:
        """Have a message marked soon."""
        with self._lock:
            self._waiting.append(folded)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="inbox marks", daemon=True)
                self._thread.start()
        self._news.set()

    def flush(self) -> None:
        """Mark at once what waits; marks that meet no database are dropped."""
        with self._flushing:
            with self._lock:
                folded, self._waiting = self._waiting, []
            if folded:
                self._mark(folded)

    def close(self) -> None:
        """Mark what waits and stop."""
        self._closed.set()
        self._news.set()
        if self._thread is not None:
            self._thread.join()
        self.flush()

    def _mark(self, folded: Sequence[Folded]) -> None:
        try:
            with self._database.connection() as connection:
                inbox.mark_all_folded(connection, folded, self._clock.now())
        except Unavailable as error:
            _log.warning("marks left to the sweeper", reason=str(error))

    def _run(self) -> None:
        while not self._closed.is_set():
            self._news.wait()
            self._closed.wait(_LATER_SECONDS)
            self._news.clear()
            self.flush()
