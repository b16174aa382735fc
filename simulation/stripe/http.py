"""The ASGI application: Stripe's API under `/v1`, the simulator's levers under `/_simulator`."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from email.utils import format_datetime
from threading import RLock
from typing import Any

from ledger.clock import from_unix
from simulation.stripe.account import Account
from simulation.stripe.levers import Levers
from simulation.stripe.operation import Request, Response, answer

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class StripeApp:
    """Requests in, answers out; one at a time, because one account is one state."""

    def __init__(
        self, account: Account, lock: RLock, release: Callable[[], None], levers: Levers
    ) -> None:
        self._account = account
        self._lock = lock
        self._release = release
        self._levers = levers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        request = await _request(scope, receive)
        if request.path.startswith("/_simulator/"):
            # A lever may wait for deliveries, whose receivers may call back: never on the loop.
            response = await asyncio.to_thread(self._levers.pull, request)
        else:
            response = self._answer(request)
        await _respond(send, response)

    def _answer(self, request: Request) -> Response:
        with self._lock:
            response = answer(self._account, request)
            response.headers["date"] = format_datetime(from_unix(self._account.now), usegmt=True)
            self._release()
        return response


async def _request(scope: Scope, receive: Receive) -> Request:
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            break
    headers = {name.decode().lower(): value.decode("latin-1") for name, value in scope["headers"]}
    query = scope["query_string"].decode()
    return Request(scope["method"], scope["path"], query, headers, body.decode("utf-8", "replace"))


async def _respond(send: Send, response: Response) -> None:
    headers = {"content-type": "application/json", **response.headers}
    encoded = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
    body = response.body.encode()
    encoded.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": response.status, "headers": encoded})
    await send({"type": "http.response.body", "body": body})
