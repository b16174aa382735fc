"""What payment providers send us, and what became of it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final
from uuid import UUID

import msgspec
from fastapi import APIRouter, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from api.asking import Cursor, Limit
from api.auth import ByOperator, FromServices
from api.body import BODY
from api.cursor import page_of, read_cursor
from api.schemas.base import Identifier, Name, Page, problems
from api.schemas.webhook import ReceivedWebhook, Webhook
from providers import inbox
from providers.inbox import Status
from wiring.services import Services


class _Place(msgspec.Struct):
    at: Annotated[datetime, msgspec.Meta(tz=True)]
    id: UUID


router = APIRouter(tags=["webhooks"])

STRIPE_PATH: Final = "/webhooks/stripe"
_SIGNED: Final = {
    "parameters": [
        {
            "name": "Stripe-Signature",
            "in": "header",
            "required": True,
            "schema": {"type": "string"},
        }
    ],
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": {"type": "object"}}},
        "description": "An event as Stripe signs and sends it.",
    },
}


@router.post(
    STRIPE_PATH, response_model=ReceivedWebhook, responses=problems(413), openapi_extra=_SIGNED
)
async def receive_stripe_webhook(request: Request) -> Response:
    """Take in a signed message from Stripe; once answered with 200, it is never lost."""
    # Nothing here but one change of threads: messages come in crowds, and the framework's own
    # reading of parameters and documents would cost as much as verifying them.
    services: Services = request.app.state.services
    signature = request.headers.get("stripe-signature")
    accepted = await run_in_threadpool(services.intake.receive, request.scope[BODY], signature)
    document = ReceivedWebhook.of(accepted).model_dump_json()
    return Response(document, media_type="application/json")


@router.get("/admin/webhooks", responses=problems(401))
def list_webhooks(
    operator: ByOperator,
    services: FromServices,
    status: Status | None = None,
    event_type: Annotated[Name | None, Query(alias="type")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[Webhook]:
    """Messages that came in, the newest first."""
    with services.database.connection() as connection:
        rows = inbox.list_rows(
            connection,
            status=status,
            event_type=event_type,
            before=_seen_until(cursor),
            limit=limit + 1,
        )
    return page_of(rows, limit, lambda row: _Place(row.received_at, row.id), Webhook.of)


@router.post("/admin/webhooks/{webhook}/replay", responses=problems(401, 404))
def replay_webhook(
    webhook: Identifier, operator: ByOperator, services: FromServices
) -> ReceivedWebhook:
    """Fold a message once more, whatever became of it; facts that are known change nothing."""
    return ReceivedWebhook.of(services.intake.replay(webhook))


def _seen_until(cursor: str | None) -> tuple[datetime, UUID] | None:
    place = read_cursor(cursor, _Place)
    return None if place is None else (place.at, place.id)
