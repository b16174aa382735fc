"""How each refusal is told over HTTP: one table, class by class, as RFC 9457 problems."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import psycopg
import psycopg_pool
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import Scope

from ledger import errors
from ledger.errors import FolioError
from observability.logs import logger
from providers.strict_json import MalformedPayload
from providers.stripe.webhooks import SignatureRefused
from wiring.intake import WrongMode

MEDIA_TYPE: Final = "application/problem+json"

_log = logger(__name__)


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of problem: its HTTP status and its title, the same for every occurrence."""

    status: int
    title: str


class MalformedKey(errors.Unauthenticated):
    """An API key that cannot be one: cut short, mistyped or of somebody else's."""

    code = "malformed_key"


class MissingKey(errors.InvalidInput):
    """An unsafe call came without an idempotency key."""

    code = "idempotency_key_required"

    def __init__(self) -> None:
        super().__init__("Idempotency-Key", "is needed, so that this call may be sent again")


class BadRequest(errors.InvalidInput):
    """A request whose path, query or headers cannot be read."""

    code = "bad_request"


class TooLarge(errors.InvalidInput):
    """A body beyond the limit of its route, in bytes."""

    code = "too_large"

    def __init__(self, limit: int) -> None:
        super().__init__("body", f"is larger than {limit} bytes")


class WrongMediaType(errors.InvalidInput):
    """A body that is not declared as JSON."""

    code = "wrong_media_type"

    def __init__(self) -> None:
        super().__init__("Content-Type", "must be application/json")


KINDS: Final[Mapping[type[FolioError], Kind]] = {
    FolioError: Kind(500, "Error"),
    errors.InvalidInput: Kind(422, "Invalid input"),
    errors.InvalidMoney: Kind(422, "Invalid money"),
    errors.NotFound: Kind(404, "Not found"),
    errors.Refused: Kind(409, "Refused"),
    errors.AlreadyExists: Kind(409, "Already exists"),
    errors.Ended: Kind(409, "Has ended"),
    errors.Conflict: Kind(409, "Conflict"),
    errors.VersionConflict: Kind(409, "Changed by somebody else"),
    errors.KeyReused: Kind(409, "Idempotency key reused"),
    errors.NotReady: Kind(503, "Not ready yet"),
    errors.Unauthenticated: Kind(401, "Not authenticated"),
    errors.Forbidden: Kind(403, "Forbidden"),
    errors.MissingParent: Kind(409, "Waiting for something else"),
    errors.Unavailable: Kind(503, "Unavailable"),
    errors.OutcomeUnknown: Kind(503, "Outcome unknown"),
    errors.Corrupt: Kind(500, "Unreadable history"),
    MalformedKey: Kind(401, "Malformed API key"),
    MissingKey: Kind(400, "Idempotency key required"),
    BadRequest: Kind(400, "Bad request"),
    TooLarge: Kind(413, "Too large"),
    WrongMediaType: Kind(415, "Wrong media type"),
    MalformedPayload: Kind(400, "Malformed payload"),
    SignatureRefused: Kind(400, "Signature refused"),
    WrongMode: Kind(400, "Wrong mode"),
}
_HTTP_CODES: Final = {404: "not_found", 405: "method_not_allowed"}
_UNANSWERED: Final = (
    psycopg.OperationalError,
    psycopg.InterfaceError,
    psycopg_pool.PoolTimeout,
    psycopg_pool.PoolClosed,
)


def kind_of(error: FolioError) -> Kind:
    """The kind of the nearest class that has one."""
    return next(KINDS[cls] for cls in type(error).__mro__ if cls in KINDS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One occurrence of a problem, as the caller is told."""

    kind: Kind
    code: str
    detail: str
    errors: Sequence[Mapping[str, str]] = ()
    headers: Mapping[str, str] = field(default_factory=dict)

    def response(self, scope: Scope) -> Response:
        """The problem document for this request."""
        document = {
            "type": f"urn:folio:problem:{self.code}",
            "title": self.kind.title,
            "status": self.kind.status,
            "detail": self.detail,
            "instance": scope["path"],
            "code": self.code,
            "request_id": scope.get("request_id", ""),
            "errors": list(self.errors),
        }
        content = json.dumps(document, ensure_ascii=False).encode(errors="replace")
        return Response(content, self.kind.status, dict(self.headers), media_type=MEDIA_TYPE)


def problem(error: FolioError) -> Problem:
    """A refusal as a problem; what is our own fault keeps its details to itself."""
    kind = kind_of(error)
    if kind.status == 500:
        _log.error("failed", code=error.code, error=str(error))
        return Problem(kind=kind, code=error.code, detail="Something is wrong on our side.")
    return Problem(
        kind=kind,
        code=error.code,
        detail=str(error),
        errors=_fields(error),
        headers=_headers(error),
    )


def _fields(error: FolioError) -> list[Mapping[str, str]]:
    if isinstance(error, errors.InvalidInput):
        return [{"field": error.field, "detail": error.reason}]
    return []


def _headers(error: FolioError) -> dict[str, str]:
    if isinstance(error, errors.Unauthenticated):
        return {"WWW-Authenticate": "Bearer"}
    if isinstance(error, errors.Unavailable):
        return {"Retry-After": str(error.retry_after)}
    if isinstance(error, errors.NotReady):
        return {"Retry-After": "1"}
    return {}


def install(app: FastAPI) -> None:
    """Answer every refusal and failure of the app's routes with a problem document."""
    app.add_exception_handler(FolioError, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(psycopg.DataError, _unstorable)
    for unanswered in _UNANSWERED:
        app.add_exception_handler(unanswered, _unanswered)
    app.add_exception_handler(Exception, _failed)


def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, FolioError)
    return problem(error).response(request.scope)


def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    found = [_violation(each) for each in error.errors()]
    return Problem(
        kind=KINDS[errors.InvalidInput],
        code=errors.InvalidInput.code,
        detail=f"{found[0]['field']}: {found[0]['detail']}",
        errors=found,
    ).response(request.scope)


def _violation(error: Mapping[str, Any]) -> Mapping[str, str]:
    # The value itself is not repeated: it may be secret, and it may be long.
    where, *path = error["loc"]
    field = ".".join(map(str, path)) or str(where)
    return {"field": field[:255], "detail": str(error["msg"])}


def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    detail = str(error.detail)
    if error.status_code == 404:
        detail = "there is nothing at this address"
    return Problem(
        kind=Kind(error.status_code, str(error.detail)),
        code=_HTTP_CODES.get(error.status_code, "http_error"),
        detail=detail,
        headers=error.headers or {},
    ).response(request.scope)


def _unstorable(request: Request, error: Exception) -> Response:
    _log.warning("the database refused a value", error=str(error))
    refusal = errors.InvalidInput("request", "holds a value that cannot be stored")
    return problem(refusal).response(request.scope)


def _unanswered(request: Request, error: Exception) -> Response:
    _log.warning("the database does not answer", error=type(error).__name__)
    return problem(errors.Unavailable("the database")).response(request.scope)


def _failed(request: Request, error: Exception) -> Response:
    _log.error("unforeseen failure", error=type(error).__name__)
    return Problem(
        kind=Kind(500, "Error"), code="error", detail="Something is wrong on our side."
    ).response(request.scope)
