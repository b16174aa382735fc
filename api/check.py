"""May this customer use this feature? The question every micro-app asks on every request.

`CheckShortcut` stands in front of the framework and answers what needs neither the framework nor,
mostly, the database; whatever is out of the ordinary it leaves to the route behind it. Both tell
the same, byte for byte, because both send the same `Answer`.
"""

from __future__ import annotations

from collections import Counter
from typing import Final

from starlette.types import ASGIApp, Receive, Scope, Send

from api.check_answer import Answer
from api.doorway import REQUESTS, RequestIds
from api.entitlement_cache import EntitlementCache
from api.key_ring import KeyRing, KnownKey
from ledger.clock import Clock
from ledger.errors import FolioError
from observability.metrics import Tally

PATH: Final = "/api/v1/entitlements/check"
_LONGEST: Final = 255

_CHECKS: Final = Tally(
    "folio_entitlement_checks",
    "Answers to entitlement checks, by outcome and by where they were read.",
    outcome=("allowed", "refused"),
    source=("cache", "database", "past"),
)


class CheckCounts:
    """Checks counted where counting must cost nothing, until somebody asks for the metrics."""

    def __init__(self) -> None:
        self._answers: Counter[tuple[bool, str]] = Counter()
        self._requests: Counter[str] = Counter()

    def answered(self, allowed: bool, source: str) -> None:
        self._answers[allowed, source] += 1

    def bypassed(self, status: str) -> None:
        """A request was answered without passing the doorway."""
        self._requests[status] += 1

    def publish(self) -> None:
        """Add what was counted since the last time to the metrics."""
        answers, self._answers = self._answers, Counter()
        requests, self._requests = self._requests, Counter()
        for (allowed, source), count in answers.items():
            _CHECKS.add(count, outcome="allowed" if allowed else "refused", source=source)
        for status, count in requests.items():
            REQUESTS.add(count, operation="check_entitlement", method="GET", status=status)


class CheckShortcut:
    """The check in front of the framework."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        keys: KeyRing,
        cache: EntitlementCache,
        clock: Clock,
        ids: RequestIds,
        counts: CheckCounts,
    ) -> None:
        self._app = app
        self._keys = keys
        self._cache = cache
        self._clock = clock
        self._ids = ids
        self._counts = counts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] != PATH or scope["method"] != "GET":
            await self._app(scope, receive, send)
            return
        key, if_none_match = self._read_headers(scope)
        asked = _plainly_asked(scope["query_string"])
        if key is None or asked is None:
            await self._app(scope, receive, send)
            return
        customer, feature = asked
        source = "cache"
        held = self._cache.at_hand(key.project, customer)
        if held is None:
            source = "database"
            try:
                held = await self._cache.read(key.project, customer)
            except FolioError:
                held = None
            if held is None:
                await self._app(scope, receive, send)
                return
        answer = held.answer(feature, self._clock.now())
        self._counts.answered(answer.allowed, source)
        await self._send(answer, if_none_match, send)

    def _read_headers(self, scope: Scope) -> tuple[KnownKey | None, bytes | None]:
        key: KnownKey | None = None
        if_none_match: bytes | None = None
        for name, value in scope["headers"]:
            if name == b"authorization" and value[:7] == b"Bearer ":
                key = self._keys.at_hand(value[7:])
            elif name == b"if-none-match":
                if_none_match = value
        return key, if_none_match

    async def _send(self, answer: Answer, if_none_match: bytes | None, send: Send) -> None:
        request_id = (b"x-request-id", self._ids.next().encode())
        if if_none_match is not None and answer.is_known(if_none_match):
            self._counts.bypassed("3xx")
            headers = [*answer.unchanged_headers, request_id]
            await send({"type": "http.response.start", "status": 304, "headers": headers})
            await send({"type": "http.response.body", "body": b""})
            return
        self._counts.bypassed("2xx")
        headers = [*answer.headers, request_id]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": answer.body})


def _plainly_asked(query: bytes) -> tuple[str, str] | None:
    """Customer and feature, when these two are asked for in plain letters and nothing else is."""
    first, _, second = query.partition(b"&")
    if first[:8] == b"feature=":
        first, second = second, first
    if (
        first[:9] != b"customer="
        or second[:8] != b"feature="
        or b"%" in query
        or b"+" in query
        or b"&" in second
        or not query.isascii()
    ):
        return None
    customer, feature = first[9:].decode(), second[8:].decode()
    if not (0 < len(customer) <= _LONGEST and 0 < len(feature) <= _LONGEST):
        return None
    return (customer, feature) if customer.isprintable() and feature.isprintable() else None
