"""Stripe's messages in front of the framework: they come in crowds, and nothing of it is needed."""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool
from starlette.types import ASGIApp, Receive, Scope, Send

from api.body import BODY
from api.errors import problem
from api.schemas.webhook import ReceivedWebhook
from api.webhooks import receive_stripe_webhook
from ledger.errors import FolioError
from wiring.intake import Accepted, Intake

_JSON = (b"content-type", b"application/json")


class WebhookShortcut:
    """Takes in what is posted to `path`; the framework's route behind stays what is documented."""

    def __init__(self, app: ASGIApp, intake: Intake, path: str) -> None:
        self._app = app
        self._intake = intake
        self._path = path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] != self._path or scope["method"] != "POST":
            await self._app(scope, receive, send)
            return
        scope["endpoint"] = receive_stripe_webhook
        try:
            accepted = await self._take_in(scope)
        except FolioError as refusal:
            await problem(refusal).response(scope)(scope, receive, send)
            return
        except Exception:  # noqa: BLE001 - told by the route behind, and taken in once all the same
            await self._app(scope, receive, send)
            return
        document = ReceivedWebhook.of(accepted).model_dump_json().encode()
        length = (b"content-length", str(len(document)).encode())
        await send({"type": "http.response.start", "status": 200, "headers": [_JSON, length]})
        await send({"type": "http.response.body", "body": document})

    async def _take_in(self, scope: Scope) -> Accepted:
        signature: bytes | None = dict(reversed(scope["headers"])).get(b"stripe-signature")
        given = None if signature is None else signature.decode("latin-1")
        return await run_in_threadpool(self._intake.receive, scope[BODY], given)
