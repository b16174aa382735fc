"""The simulator as one machine: an account, its API on loopback, its webhooks on their way."""

from __future__ import annotations

import socket
import threading
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import msgspec
import uvicorn

from ledger.clock import Clock, SystemClock, from_unix
from simulation.stripe import cards, clocks, collection, events, state
from simulation.stripe.account import Account, Habits
from simulation.stripe.delivery import BACKOFF, Courier, Parcel
from simulation.stripe.http import StripeApp
from simulation.stripe.levers import Levers
from simulation.stripe.render import render
from simulation.stripe.store import Obj

START: Final = datetime(2026, 1, 1, tzinfo=UTC)


class StripeSimulator:
    """A Stripe on loopback.

    `start` is its first present; `wall_clock` the real time that signs webhooks; `keep_in` a file
    that outlives the process. One delivery thread keeps events in order.
    """

    def __init__(
        self,
        seed: int = 1,
        start: datetime = START,
        *,
        habits: Habits | None = None,
        wall_clock: Clock | None = None,
        delivery_threads: int = 1,
        backoff: tuple[float, ...] = BACKOFF,
        keep_in: Path | None = None,
    ) -> None:
        self.lock = threading.RLock()
        self.account = _account(keep_in, seed, start, habits)
        self._courier = Courier(
            wall_clock or SystemClock(),
            self._acknowledge,
            threads=delivery_threads,
            backoff=backoff,
        )
        self.app = StripeApp(self.account, self.lock, self._release, Levers(self))
        self._keeper = state.Keeper(keep_in, self.lock, self.account) if keep_in else None
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None

    @property
    def now(self) -> datetime:
        """The simulator's own present; test clocks have theirs."""
        return from_unix(self.account.now)

    def start(self, port: int = 0) -> str:
        """Serve in a thread and return the base address, such as `http://127.0.0.1:4242`."""
        listener = socket.create_server(("127.0.0.1", port))
        self._server = uvicorn.Server(self._config())
        self._thread = threading.Thread(
            target=self._server.run, args=([listener],), name="stripe-simulator", daemon=True
        )
        self._thread.start()
        while not self._server.started:
            self._thread.join(0.002)
        self.begin()
        return f"http://127.0.0.1:{listener.getsockname()[1]}"

    def stop(self) -> None:
        if self._server and self._thread:
            self._server.should_exit = True
            self._thread.join()
        self.end()

    def serve(self, port: int) -> None:
        """Serve in this thread until a signal comes."""
        listener = socket.create_server(("127.0.0.1", port))
        self.begin()
        try:
            uvicorn.Server(self._config()).run([listener])
        finally:
            self.end()

    def begin(self) -> None:
        """Take up deliveries and keeping; what was owed before a restart is sent again."""
        self._courier.start()
        if self._keeper:
            self._keeper.start()
        self.redeliver()

    def end(self) -> None:
        self._courier.stop()
        if self._keeper:
            self._keeper.stop()

    def __enter__(self) -> Self:
        self.base_url = self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def advance(self, to: datetime) -> None:
        """Move the simulator's clock; everything due on the way happens at its own instant."""
        self.advance_to(int(to.timestamp()))

    def advance_to(self, instant: int) -> None:
        with self.lock:
            if instant < self.account.now:
                raise ValueError("the simulator's clock never goes back")
            clocks.advance(self.account, None, instant)
            self._release()

    def drain(self, timeout: float = 60.0) -> bool:
        """Wait until every webhook was accepted or given up."""
        return self._courier.drain(timeout)

    def redeliver(self) -> int:
        """Send every event that an endpoint has not accepted once more, the oldest first."""
        with self.lock:
            owed = [event for event in self.account.store.newest("event") if event["_owed"]]
            self.account.outbox = []
            for event in reversed(owed):
                self._send(event)
        return len(owed)

    def set_card(self, payment_method: str, outcome: str) -> None:
        """Change what a card answers from now on: `approved` or a decline code."""
        if outcome not in cards.OUTCOMES:
            raise ValueError(f"{outcome} is none of {sorted(cards.OUTCOMES)}")
        with self.lock:
            self.account.store.one(payment_method)["_charge"] = outcome

    def authenticate(self, payment_intent: str) -> None:
        """Let the customer pass the authentication that a payment intent asks for."""
        with self.lock:
            intent = self.account.store.one(payment_intent)
            invoice = self.account.store.one(intent["_invoice"])
            method = self.account.store.one(intent["payment_method"])
            collection.attempt(self.account, invoice, method, authenticated=True)
            clocks.plan(self.account)
            self._release()

    def status(self) -> dict[str, Any]:
        """Where time stands, how many events there are, how deliveries went."""
        with self.lock:
            tally = self._courier.tally
            return {
                "now": self.account.now,
                "events": self.account.store.count("event"),
                "pending": self._courier.pending,
                "delivered": tally.delivered,
                "failed": tally.failed,
                "tries": tally.tries,
            }

    def event_log(self) -> bytes:
        """Every event so far, one JSON line each, the oldest first."""
        with self.lock:
            newest = [render(self.account, event) for event in self.account.store.newest("event")]
        return b"\n".join(msgspec.json.encode(event) for event in reversed(newest))

    def _release(self) -> None:
        """Send what happened; the account's state is settled by now."""
        outbox, self.account.outbox = self.account.outbox, []
        self.account.revision += 1
        for event in outbox:
            self._send(event)

    def _send(self, event: Obj) -> None:
        shown = render(self.account, event)
        body = msgspec.json.format(msgspec.json.encode(shown), indent=2)
        for identifier in event["_owed"]:
            endpoint = self.account.store.one(identifier)
            if endpoint.get("deleted") or endpoint["status"] != "enabled":
                continue
            self._courier.send(
                Parcel(event["id"], identifier, endpoint["url"], endpoint["_secret"], body)
            )

    def _acknowledge(self, parcel: Parcel) -> None:
        with self.lock:
            event = self.account.store.one(parcel.event)
            event["_owed"] = [each for each in event["_owed"] if each != parcel.endpoint]
            event["pending_webhooks"] = len(event["_owed"])
            self.account.revision += 1

    def _config(self) -> uvicorn.Config:
        return uvicorn.Config(
            self.app,
            lifespan="off",
            log_level="warning",
            access_log=False,
            date_header=False,
            server_header=False,
        )


def _account(kept: Path | None, seed: int, start: datetime, habits: Habits | None) -> Account:
    if kept and kept.exists():
        account = Account.load(state.read(kept), habits)
        events.recall(account)
        clocks.replan_all(account)
        return account
    return Account(seed, int(start.timestamp()), habits)
