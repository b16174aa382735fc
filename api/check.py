"""May this customer use this feature? The question every micro-app asks on every request.

`CheckShortcut` stands in front of the framework and answers what needs neither the framework nor,
mostly, the database; whatever is out of the ordinary it leaves to the route behind it. Both tell
the same, byte for byte, because both send the same `Answer`.
"""

from __future__ import annotations

import re
from collections import defaultdict
from typing import Final
from uuid import UUID

from starlette.types import ASGIApp, Receive, Scope, Send

from api.check_answer import Headers
from api.doorway import REQUESTS, RequestIds
from api.entitlement_cache import EntitlementCache, Held
from api.key_ring import KeyRing, KnownKey
from ledger.clock import Clock
from ledger.errors import FolioError
from observability.metrics import Tally

PATH: Final = "/api/v1/entitlements/check"
_OUTCOMES: Final = {True: "allowed", False: "refused"}
# Both in visible ASCII without an escape, in this order, and nothing else.
_PLAINLY_ASKED: Final = re.compile(
    rb"customer=([!-$'-*,-~]{1,255})&feature=([!-$'-*,-~]{1,255})", re.DOTALL
)

_CHECKS: Final = Tally(
    "folio_entitlement_checks",
    "Answers to entitlement checks, by outcome and by where they were read.",
    outcome=("allowed", "refused"),
    source=("cache", "database", "past"),
)


class CheckCounts:
    """Checks counted where counting must cost nothing, until somebody asks for the metrics."""

    def __init__(self) -> None:
        self._answers: defaultdict[tuple[bool, str], int] = defaultdict(int)
        self._shortcuts: defaultdict[tuple[bool, str, str], int] = defaultdict(int)

    def answered(self, allowed: bool, source: str) -> None:
        """The framework's route gave an answer."""
        self._answers[allowed, source] += 1

    def shortcut(self, allowed: bool, source: str, status: str) -> None:
        """The shortcut gave one, which has not passed the doorway."""
        self._shortcuts[allowed, source, status] += 1

    def publish(self) -> None:
        """Add what was counted since the last time to the metrics."""
        answers, self._answers = self._answers, defaultdict(int)
        shortcuts, self._shortcuts = self._shortcuts, defaultdict(int)
        for (allowed, source), count in answers.items():
            _CHECKS.add(count, outcome=_OUTCOMES[allowed], source=source)
        for (allowed, source, status), count in shortcuts.items():
            _CHECKS.add(count, outcome=_OUTCOMES[allowed], source=source)
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
        asked = _PLAINLY_ASKED.fullmatch(scope["query_string"])
        key, if_none_match = self._read_headers(scope["headers"])
        if asked is None or key is None:
            await self._app(scope, receive, send)
            return
        customer, feature = asked[1].decode(), asked[2].decode()
        source = "cache"
        held = self._cache.at_hand(key.project, customer)
        if held is None:
            source = "database"
            held = await self._read(key.project, customer)
            if held is None:
                await self._app(scope, receive, send)
                return
        answer = held.answer(feature, self._clock.now())
        request_id = (b"x-request-id", self._ids.next().encode())
        if if_none_match is not None and answer.is_known(if_none_match):
            self._counts.shortcut(answer.allowed, source, "3xx")
            headers = [*answer.unchanged_headers, request_id]
            await send({"type": "http.response.start", "status": 304, "headers": headers})
            await send({"type": "http.response.body", "body": b""})
            return
        self._counts.shortcut(answer.allowed, source, "2xx")
        headers = [*answer.headers, request_id]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": answer.body})

    def _read_headers(self, headers: Headers) -> tuple[KnownKey | None, bytes | None]:
        key: KnownKey | None = None
        if_none_match: bytes | None = None
        for name, value in headers:
            if name == b"authorization":
                key = self._keys.at_hand(value[7:]) if value[:7] == b"Bearer " else None
            elif name == b"if-none-match":
                if_none_match = value
        return key, if_none_match

    async def _read(self, project: UUID, customer: str) -> Held | None:
        try:
            return await self._cache.read(project, customer)
        except FolioError:
            return None  # told by the route behind, which asks once more
