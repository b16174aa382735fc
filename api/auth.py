"""Who is calling: an app by its API key, or the operator by theirs."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from typing import Annotated, Final
from uuid import UUID

from fastapi import Depends, Header, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from api.errors import BadRequest, MissingKey
from api.key_ring import KeyRing
from commands.base import Caller
from ledger.errors import Forbidden, Unauthenticated
from ledger.events.project import Scope
from wiring.services import Services, needed

_app_key: Final = HTTPBearer(
    scheme_name="appKey", description="An app's API key, `folio_…`.", auto_error=False
)
_operator_key: Final = HTTPBearer(
    scheme_name="operatorKey", description="The operator's key.", auto_error=False
)
_LONGEST_KEY: Final = 255


@dataclass(frozen=True, slots=True)
class AppCaller:
    """An app that has shown a live key, within one request."""

    project: UUID
    app: UUID
    request_id: UUID

    def caller(self) -> Caller:
        return Caller(actor=f"app:{self.app}", correlation=self.request_id)

    def key(self, idempotency_key: str) -> str:
        """The key a command is kept under: apps of one project do not meet in it."""
        return f"app:{self.app}:{idempotency_key}"


@dataclass(frozen=True, slots=True)
class Operator:
    """Whoever runs this installation, within one request."""

    request_id: UUID

    def caller(self) -> Caller:
        return Caller(actor="operator", correlation=self.request_id)

    def key(self, idempotency_key: str | None) -> str | None:
        return None if idempotency_key is None else f"operator:{idempotency_key}"


async def services_of(request: Request) -> Services:
    """What this process works with."""
    services: Services = request.app.state.services
    return services


def pepper_of(services: Services) -> bytes:
    """The secret in the keyed hash of every API key."""
    pepper = services.settings.key_pepper
    return needed(pepper.get_secret_value() if pepper else None, "FOLIO_KEY_PEPPER").encode()


Shown = HTTPAuthorizationCredentials | None


async def _reader(request: Request, shown: Annotated[Shown, Depends(_app_key)]) -> AppCaller:
    return await _app(request, shown, Scope.READ)


async def _writer(request: Request, shown: Annotated[Shown, Depends(_app_key)]) -> AppCaller:
    return await _app(request, shown, Scope.WRITE)


async def _app(request: Request, shown: Shown, needed: Scope) -> AppCaller:
    if shown is None:
        raise Unauthenticated
    ring: KeyRing = request.app.state.key_ring
    key = await ring.find(shown.credentials)
    if needed is Scope.WRITE and key.scope is not Scope.WRITE:
        raise Forbidden("write")
    return AppCaller(key.project, key.app, UUID(request.scope["request_id"]))


async def _operator(request: Request, shown: Annotated[Shown, Depends(_operator_key)]) -> Operator:
    services = await services_of(request)
    expected = services.settings.operator_key
    if shown is None or expected is None:
        raise Unauthenticated("the operator's key is needed")
    given = shown.credentials.encode()
    if not hmac.compare_digest(given, expected.get_secret_value().encode()):
        raise Unauthenticated("this is not the operator's key")
    return Operator(UUID(request.scope["request_id"]))


def _printable(given: str) -> str:
    if not (0 < len(given) <= _LONGEST_KEY and given.isascii() and given.isprintable()):
        raise BadRequest("Idempotency-Key", f"is 1 to {_LONGEST_KEY} printable ASCII characters")
    return given


_Given = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        description="Names this call, so that sending it again does nothing twice.",
        json_schema_extra={"minLength": 1, "maxLength": _LONGEST_KEY},
    ),
]


async def _needed_key(given: _Given = None) -> str:
    if given is None:
        raise MissingKey
    return _printable(given)


async def _welcome_key(given: _Given = None) -> str | None:
    return None if given is None else _printable(given)


FromServices = Annotated[Services, Depends(services_of)]
Reader = Annotated[AppCaller, Depends(_reader)]
Writer = Annotated[AppCaller, Depends(_writer)]
ByOperator = Annotated[Operator, Depends(_operator)]
IdempotencyKey = Annotated[str, Depends(_needed_key)]
OptionalIdempotencyKey = Annotated[str | None, Depends(_welcome_key)]
