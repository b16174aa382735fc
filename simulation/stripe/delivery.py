"""Webhook delivery: signed, in order, again and again until someone says yes."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from ledger.clock import Clock

_TIMEOUT: Final = 20.0
BACKOFF: Final = (0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2)
"""Real seconds between the tries of one delivery; Stripe's own hours would stop a demonstration."""


@dataclass(frozen=True)
class Parcel:
    """One event on its way to one endpoint."""

    event: str
    endpoint: str
    url: str
    secret: str
    body: bytes


@dataclass
class Tally:
    """How deliveries went so far."""

    delivered: int = 0
    failed: int = 0
    tries: int = 0


def signature(secret: str, body: bytes, timestamp: int) -> str:
    """The `Stripe-Signature` header of a body."""
    signed = str(timestamp).encode() + b"." + body
    digest = hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
    return f"t={timestamp},v1={digest}"


class Courier:
    """A queue of parcels and the threads that carry them.

    One thread keeps the order of events. Several are faster and mix it, as Stripe does.
    `clock` is the real time, because receivers compare a signature's age with theirs.
    """

    def __init__(
        self,
        clock: Clock,
        acknowledged: Callable[[Parcel], None],
        *,
        threads: int = 1,
        backoff: tuple[float, ...] = BACKOFF,
    ) -> None:
        self.tally = Tally()
        self._clock = clock
        self._acknowledged = acknowledged
        self._threads = threads
        self._backoff = backoff
        self._queue: deque[Parcel] = deque()
        self._open = 0
        self._changed = threading.Condition()
        self._stopping = threading.Event()
        self._running: list[threading.Thread] = []

    @property
    def pending(self) -> int:
        """Parcels waiting or on their way."""
        return self._open

    def start(self) -> None:
        self._stopping.clear()
        for number in range(self._threads):
            name = f"stripe-webhooks-{number}"
            thread = threading.Thread(target=self._carry, name=name, daemon=True)
            thread.start()
            self._running.append(thread)

    def stop(self) -> None:
        """Stop after the parcels in hand; the others stay undelivered."""
        self._stopping.set()
        with self._changed:
            self._changed.notify_all()
        for thread in self._running:
            thread.join()
        self._running.clear()

    def send(self, parcel: Parcel) -> None:
        with self._changed:
            self._queue.append(parcel)
            self._open += 1
            self._changed.notify()

    def drain(self, timeout: float) -> bool:
        """Wait until every parcel was accepted or given up; False when the time ran out."""
        with self._changed:
            return self._changed.wait_for(lambda: self._open == 0, timeout)

    def _carry(self) -> None:
        line = _Line()
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._queue or self._stopping.is_set())
                if self._stopping.is_set():
                    break
                parcel = self._queue.popleft()
            accepted = self._deliver(line, parcel)
            if accepted:
                self._acknowledged(parcel)
            with self._changed:
                self.tally.delivered += accepted
                self.tally.failed += not accepted
                self._open -= 1
                self._changed.notify_all()
        line.close()

    def _deliver(self, line: _Line, parcel: Parcel) -> bool:
        for pause in (*self._backoff, None):
            self.tally.tries += 1
            timestamp = int(self._clock.now().timestamp())
            status = line.post(parcel, signature(parcel.secret, parcel.body, timestamp))
            if 200 <= status < 300:
                return True
            if pause is None or self._stopping.wait(pause):
                break
        return False


class _Line:
    """A kept-alive connection to whoever was called last."""

    def __init__(self) -> None:
        self._address = ""
        self._connection: http.client.HTTPConnection | None = None

    def post(self, parcel: Parcel, signed: str) -> int:
        """The receiver's status; 0 when there was no answer."""
        url = urlsplit(parcel.url)
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "Stripe-Signature": signed,
            "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
        }
        target = url.path + (f"?{url.query}" if url.query else "") or "/"
        try:
            connection = self._connect(url.scheme, url.netloc)
            connection.request("POST", target, parcel.body, headers)
            with connection.getresponse() as response:
                response.read()
                return response.status
        except (OSError, http.client.HTTPException):
            self.close()
            return 0

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _connect(self, scheme: str, address: str) -> http.client.HTTPConnection:
        if self._connection is None or self._address != address:
            self.close()
            kinds = {"http": http.client.HTTPConnection, "https": http.client.HTTPSConnection}
            self._connection = kinds[scheme](address, timeout=_TIMEOUT)
            self._address = address
        return self._connection
