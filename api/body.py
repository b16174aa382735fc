"""What a request must be before any route sees it: readable in one way only, and not too large."""

from __future__ import annotations

from typing import Final
from urllib.parse import unquote_to_bytes

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import BadRequest, TooLarge, WrongMediaType, problem
from ledger.errors import FolioError
from providers.strict_json import decode

JSON_BYTES: Final = 64 * 1024
RAW_BYTES: Final = 512 * 1024
BODY: Final = "folio.body"
"""Where the scope keeps the whole body, as bytes."""

_BODILESS: Final = frozenset({"GET", "HEAD", "OPTIONS"})


class _Gone(Exception):
    """The caller hung up while sending."""


class StrictRequests:
    """Refuses requests that two readers could read in two ways; reads every body once.

    The paths in `raw` have bodies that are signed as bytes: their own route judges them.
    """

    def __init__(self, app: ASGIApp, raw: frozenset[str]) -> None:
        self._app = app
        self._raw = raw

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            _check_address(scope)
            if scope["method"] not in _BODILESS:
                receive = await self._whole(scope, receive)
        except FolioError as refusal:
            await problem(refusal).response(scope)(scope, receive, send)
            return
        except _Gone:
            return
        await self._app(scope, receive, send)

    async def _whole(self, scope: Scope, receive: Receive) -> Receive:
        """Read and check the body; the routes below receive it again as one message."""
        raw = scope["path"] in self._raw
        headers = dict(scope["headers"])
        body = await _read(receive, headers, RAW_BYTES if raw else JSON_BYTES)
        if body and not raw:
            if not _is_json(headers.get(b"content-type", b"")):
                raise WrongMediaType
            decode(body)
        scope[BODY] = body
        unread: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

        async def again() -> Message:
            return unread.pop() if unread else await receive()

        return again


async def _read(receive: Receive, headers: dict[bytes, bytes], limit: int) -> bytes:
    declared = headers.get(b"content-length", b"")
    if declared.isdigit() and int(declared[:20]) > limit:
        raise TooLarge(limit)
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _Gone
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > limit:
            raise TooLarge(limit)
        if not message.get("more_body", False):
            return b"".join(parts)


def _is_json(content_type: bytes) -> bool:
    media_type, _, parameters = content_type.lower().partition(b";")
    charset = parameters.strip()
    return media_type.strip() == b"application/json" and charset in (
        b"",
        b"charset=utf-8",
        b'charset="utf-8"',
    )


def _check_address(scope: Scope) -> None:
    _readable("path", scope.get("raw_path") or scope["path"].encode())
    query: bytes = scope["query_string"]
    if not query:
        return
    names = set()
    for pair in query.split(b"&"):
        name, _, value = pair.partition(b"=")
        named = _readable("query", name)
        _readable(named, value.replace(b"+", b" "))
        if named in names:
            raise BadRequest(named[:255], "is given twice")
        names.add(named)


def _readable(field: str, quoted: bytes) -> str:
    try:
        text = unquote_to_bytes(quoted).decode()
    except UnicodeDecodeError:
        raise BadRequest(field[:255], "is not UTF-8") from None
    if "\0" in text:
        raise BadRequest(field[:255].replace("\0", ""), "has a NUL character")
    return text
