"""One request from its words to its answer: authenticate, read, act, render, check."""

from __future__ import annotations

import base64
import binascii
import logging
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import unquote

import msgspec

from simulation.stripe import clocks, idempotency, params
from simulation.stripe.account import Account, Call
from simulation.stripe.errors import StripeError, invalid_request, not_simulated
from simulation.stripe.expansion import expand
from simulation.stripe.paging import Page
from simulation.stripe.render import page, render
from simulation.stripe.routes import TABLE
from simulation.stripe.routing import Route
from simulation.stripe.schema import installed_contract
from simulation.stripe.store import Obj
from simulation.stripe.validation import validate

_log: Final = logging.getLogger(__name__)
_KEYS: Final = ("sk_test_", "rk_test_")


@dataclass(frozen=True)
class Request:
    """What arrived over HTTP."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: str


@dataclass
class Response:
    """What goes back."""

    status: int
    body: str
    headers: dict[str, str] = field(default_factory=dict)


def answer(account: Account, request: Request) -> Response:
    """Carry out one request; every failure becomes an answer too."""
    request_id = account.ids.new("req")
    key = request.headers.get("idempotency-key") if request.method == "POST" else None
    try:
        _authenticate(request)
        response = _once(account, request, request_id, key)
    except StripeError as error:
        response = _refused(error, request_id)
    response.headers.setdefault("request-id", request_id)
    response.headers["stripe-version"] = installed_contract().api_version
    if key:
        response.headers["idempotency-key"] = key
    return response


def _once(account: Account, request: Request, request_id: str, key: str | None) -> Response:
    """Act, unless this idempotency key has acted before."""
    route, path = TABLE.match(request.method, request.path)
    encoded = request.body if request.method == "POST" else request.query
    if key:
        mark = idempotency.fingerprint(request.method, request.path, encoded)
        known = account.keys.begin(key, mark, account.now)
        if known:
            headers = {"idempotent-replayed": "true", "original-request": known.request_id}
            return Response(known.status or 500, known.body, headers)
    try:
        given = _read(route, encoded)
    except StripeError:
        # Nothing began, so the key stays free: the caller may send the right thing under it.
        if key:
            account.keys.release(key)
        raise
    ids = {name: unquote(value) for name, value in path.items()}
    call = Call(given, ids, request.path, request_id, key)
    response = _act(account, route, call)
    if key:
        account.keys.finish(key, response.status, response.body, request_id)
    return response


def _act(account: Account, route: Route, call: Call) -> Response:
    account.call = call
    try:
        found = route.handler(account, call)
        shown = _shown(account, found)
        expand(account, shown, call.get("expand", []))
        validate(shown)
        response = Response(200, _json(shown))
    except StripeError as error:
        response = _refused(error, call.request_id)
    except Exception as error:  # noqa: BLE001 - the boundary: a fault of ours is an answer as well
        _log.exception("the simulator failed at %s %s", route.method, route.path)
        response = _refused(
            StripeError(500, "api_error", f"{type(error).__name__}: {error}"), call.request_id
        )
    finally:
        account.call = None
    clocks.plan(account)
    return response


def _shown(account: Account, found: Obj | Page) -> Obj:
    if isinstance(found, Page):
        shown = [render(account, obj) for obj in found.data]
        return page(shown, found.url, has_more=found.has_more)
    return render(account, found)


def _read(route: Route, encoded: str) -> dict[str, Any]:
    given = params.read(encoded, installed_contract().parameters(route.params))
    _refuse_ignored(given, {"expand", *route.takes.split()}, "")
    return given


def _refuse_ignored(given: dict[str, Any], taken: set[str], path: str) -> None:
    """Refuse a parameter that is well-formed but that nothing here acts upon."""
    for name, value in given.items():
        here = f"{path}[{name}]" if path else name
        if here in taken:
            continue
        inner = value if isinstance(value, list) else [value]
        nested = [each for each in inner if isinstance(each, dict)]
        if not nested or not any(each.startswith(f"{here}[") for each in taken):
            raise not_simulated(here)
        for each in nested:
            _refuse_ignored(each, taken, here)


def _authenticate(request: Request) -> None:
    scheme, _, secret = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "basic":
        secret = _basic_user(secret)
    if not secret:
        raise invalid_request(
            "You did not provide an API key. You need to provide your API key in the "
            "Authorization header, using Bearer auth (e.g. 'Authorization: Bearer "
            "YOUR_SECRET_KEY').",
            status=401,
        )
    if not secret.startswith(_KEYS):
        masked = f"{secret[:8]}{'*' * 8}{secret[-4:]}"
        raise invalid_request(f"Invalid API Key provided: {masked}", status=401)
    asked = request.headers.get("stripe-version")
    spoken = installed_contract().api_version
    if asked and asked != spoken:
        raise invalid_request(f"The simulator speaks API version {spoken}, not {asked}.")


def _basic_user(encoded: str) -> str:
    try:
        return base64.b64decode(encoded).decode().partition(":")[0]
    except (binascii.Error, UnicodeDecodeError):
        return ""


def _refused(error: StripeError, request_id: str) -> Response:
    log_url = f"https://dashboard.stripe.com/test/logs/{request_id}"
    return Response(error.status, _json(error.body(log_url)))


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()
