"""Natural group commit: what queues up while one commit is in flight becomes the next group.

An idle log commits at once, on its caller's thread. Nobody ever waits for company.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable, Hashable, Sequence
from contextlib import suppress
from typing import Final, Generic, Protocol, TypeVar

# With so many in a group, its commit costs each of them little; waiting for more costs more.
_WORTH_A_COMMIT: Final = 8
_PATIENCE_S: Final = 10


class Claiming(Protocol):
    """Something that writes things no other of its group may write; `count` is how many."""

    @property
    def claims(self) -> frozenset[Hashable]: ...

    @property
    def count(self) -> int: ...


Item = TypeVar("Item", bound=Claiming)
Outcome = TypeVar("Outcome")


class _Ticket(Generic[Item, Outcome]):
    """One caller's place in the queue: a thread that sleeps on `wake`, or a task on `future`."""

    __slots__ = ("future", "item", "outcome", "wake")

    def __init__(self, item: Item, future: asyncio.Future[Outcome] | None = None) -> None:
        self.item = item
        self.future = future
        self.outcome: Outcome | BaseException | None = None
        self.wake = threading.Lock()
        self.wake.acquire()


class Grouping(Generic[Item, Outcome]):
    """Callers share commits, of which one is in flight at a time.

    `run` takes a group and returns an outcome for each member; an outcome that is an exception is
    raised to its own caller alone. `most` bounds what a group writes.

    As long as anybody waits, one thread commits group after group: handing the commit from caller
    to caller would leave the database idle while threads take turns at the interpreter.
    """

    def __init__(
        self, run: Callable[[Sequence[Item]], Sequence[Outcome | Exception]], *, most: int
    ) -> None:
        self._run = run
        self._most = most
        self._lock = threading.Lock()
        self._busy = False
        self._waiting: deque[_Ticket[Item, Outcome]] = deque()
        self._work = threading.Semaphore(0)
        self._committer: threading.Thread | None = None

    def submit(self, item: Item) -> Outcome:
        """Have an item run, alone or in a group, and return its outcome."""
        ticket: _Ticket[Item, Outcome] = _Ticket(item)
        with self._lock:
            idle = not self._busy
            self._busy = True
            if not idle:
                self._waiting.append(ticket)
        if idle:
            self._settle([ticket])
            self._pass_on()
        ticket.wake.acquire()
        outcome = ticket.outcome
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome  # type: ignore[return-value]  # a ticket that woke has its outcome

    async def submit_async(self, item: Item) -> Outcome:
        """The same for a task of an event loop, which goes on with others meanwhile."""
        ticket = _Ticket(item, asyncio.get_running_loop().create_future())
        with self._lock:
            self._waiting.append(ticket)
            if not self._busy:
                self._busy = True
                self._wake_committer()
        assert ticket.future is not None
        outcome: Outcome = await ticket.future
        return outcome

    def _settle(self, group: list[_Ticket[Item, Outcome]]) -> None:
        outcomes: Sequence[Outcome | BaseException]
        try:
            outcomes = self._run([ticket.item for ticket in group])
        except BaseException as error:  # noqa: BLE001  # every member must hear of it
            outcomes = [error] * len(group)
        tasks: defaultdict[asyncio.AbstractEventLoop, list[_Ticket[Item, Outcome]]]
        tasks = defaultdict(list)
        for ticket, outcome in zip(group, outcomes, strict=True):
            ticket.outcome = outcome
            if ticket.future is None:
                ticket.wake.release()
            else:
                tasks[ticket.future.get_loop()].append(ticket)
        for loop, tickets in tasks.items():
            with suppress(RuntimeError):  # the loop was closed: nobody waits any more
                loop.call_soon_threadsafe(_answer, tickets)

    def _pass_on(self) -> None:
        """After a commit on its caller's thread: let the committer go on, if anybody waits."""
        with self._lock:
            self._busy = bool(self._waiting)
            if self._busy:
                self._wake_committer()

    def _wake_committer(self) -> None:
        self._work.release()
        if self._committer is None:
            self._committer = threading.Thread(
                target=self._commit_groups, name="event-log-committer", daemon=True
            )
            self._committer.start()

    def _commit_groups(self) -> None:
        while self._has_work():
            while group := self._next_group():
                self._settle(group)
                self._let_in(len(group) + len(self._waiting))

    def _has_work(self) -> bool:
        """Wait for work; without any for a while the thread may go."""
        if self._work.acquire(timeout=_PATIENCE_S):
            return True
        with self._lock:
            if self._work.acquire(blocking=False):
                return True
            self._committer = None
            return False

    def _let_in(self, busy: int) -> None:
        """Let callers who were just answered ask again, while they come and the group is small."""
        before, waiting = -1, len(self._waiting)
        while before < waiting < min(busy, _WORTH_A_COMMIT):
            time.sleep(0)  # gives up the interpreter, not the time
            before, waiting = waiting, len(self._waiting)

    def _next_group(self) -> list[_Ticket[Item, Outcome]]:
        """Everybody who waits and does not write what another of the group writes."""
        group: list[_Ticket[Item, Outcome]] = []
        later: list[_Ticket[Item, Outcome]] = []
        claimed: set[Hashable] = set()
        weight = 0
        with self._lock:
            while self._waiting and weight < self._most:
                ticket = self._waiting.popleft()
                if claimed.isdisjoint(ticket.item.claims):
                    claimed |= ticket.item.claims
                    weight += 1 + ticket.item.count
                    group.append(ticket)
                else:
                    later.append(ticket)
            self._waiting.extendleft(reversed(later))
            self._busy = bool(group)
        return group


def _answer(tickets: Sequence[_Ticket[Item, Outcome]]) -> None:
    """In the loop of these tickets: hand each its outcome, unless its task was cancelled."""
    for ticket in tickets:
        future, outcome = ticket.future, ticket.outcome
        if future is None or future.done():
            continue
        if isinstance(outcome, BaseException):
            future.set_exception(outcome)
        else:
            future.set_result(outcome)  # type: ignore[arg-type]  # it has its outcome
