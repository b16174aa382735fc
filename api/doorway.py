"""The way in and out of every request: its id, its log lines' context, its place in the metrics."""

from __future__ import annotations

import secrets
from itertools import count
from time import perf_counter
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from observability.logs import bound
from observability.metrics import OTHER, Duration, Tally

OPERATIONS: Final = (
    "register_customer",
    "get_customer",
    "list_entitlements",
    "check_entitlement",
    "list_subscriptions",
    "get_subscription",
    "list_invoices",
    "get_invoice",
    "give_grant",
    "revoke_grant",
    "list_grants",
    "receive_stripe_webhook",
    "list_webhooks",
    "replay_webhook",
    "create_project",
    "register_app",
    "issue_key",
    "rotate_key",
    "revoke_key",
    "health",
    "ready",
    "live",
    "metrics",
)
"""The name of every route's function: the only values its metrics are kept under."""

REQUESTS: Final = Tally(
    "folio_http_requests",
    "Requests by operation, method and class of status.",
    operation=OPERATIONS,
    method=("GET", "POST"),
    status=("2xx", "3xx", "4xx", "5xx"),
)
_SECONDS: Final = Duration(
    "folio_http_request_seconds", "Time from a request to its answer.", operation=OPERATIONS
)


class RequestIds:
    """Ids of requests, each a UUID: a random beginning for the process, then a count."""

    def __init__(self) -> None:
        start = secrets.token_hex(9)
        self._start = f"{start[:8]}-{start[8:12]}-8{start[12:15]}-8{start[15:18]}-"
        self._count = count(secrets.randbits(40))

    def next(self) -> str:
        return f"{self._start}{next(self._count):012x}"


class Doorway:
    """Names each request, counts it, and shows its name to the caller and to the log."""

    def __init__(self, app: ASGIApp, ids: RequestIds) -> None:
        self._app = app
        self._ids = ids

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = scope["request_id"] = self._ids.next()
        status = 500
        began = perf_counter()

        async def tell(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [
                    *message.get("headers", ()),
                    (b"x-request-id", request_id.encode()),
                ]
            await send(message)

        try:
            with bound(request_id=request_id):
                await self._app(scope, receive, tell)
        finally:
            operation = getattr(scope.get("endpoint"), "__name__", OTHER)
            REQUESTS.add(operation=operation, method=scope["method"], status=f"{status // 100}xx")
            _SECONDS.observe(perf_counter() - began, operation=operation)
