"""The HTTP application: its routes, and what stands in front of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Final

from fastapi import FastAPI
from starlette.types import ASGIApp

from api import (
    customers,
    entitlements,
    errors,
    grants,
    health,
    invoices,
    operators,
    subscriptions,
    webhooks,
)
from api.auth import pepper_of
from api.body import StrictRequests
from api.check import CheckCounts, CheckShortcut
from api.doorway import Doorway, RequestIds
from api.entitlement_cache import EntitlementCache
from api.key_books import read_key
from api.key_ring import KeyRing
from api.schemas.base import ProblemDocument
from api.snapshot_reader import SnapshotReader
from api.webhook_shortcut import WebhookShortcut
from wiring.hints import Channel, Listener
from wiring.services import Services

PREFIX: Final = "/api/v1"
_DESCRIPTION: Final = (
    "What happened, who is entitled to what, why, and since when. Every error is a problem "
    "document (RFC 9457); every unsafe call takes an `Idempotency-Key`."
)


def create_app(services: Services, *, shortcut: bool = True) -> ASGIApp:
    """The application as a server runs it; without `shortcut`, all through the framework."""
    api = build_api(services)
    state = api.state
    stripe = PREFIX + webhooks.STRIPE_PATH
    inside: ASGIApp = WebhookShortcut(api, services.intake, stripe) if shortcut else api
    app: ASGIApp = Doorway(StrictRequests(inside, frozenset({stripe})), state.request_ids)
    if not shortcut:
        return app
    return CheckShortcut(
        app,
        keys=state.key_ring,
        cache=state.entitlement_cache,
        clock=services.clock,
        ids=state.request_ids,
        counts=state.check_counts,
    )


def build_api(services: Services) -> FastAPI:
    """The framework's part: routes, documents, refusals, and what lives as long as the server."""
    api = FastAPI(
        title="Folio",
        version="1",
        description=_DESCRIPTION,
        lifespan=_lifespan,
        redirect_slashes=False,
        # Its spans and logs would repeat what the doorway counts, secrets included.
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
    )
    reader = SnapshotReader(services.database_url, services.clock)
    counts = CheckCounts()
    api.state.services = services
    api.state.request_ids = RequestIds()
    api.state.key_ring = KeyRing(partial(read_key, services), pepper_of(services), services.clock)
    api.state.snapshot_reader = reader
    api.state.entitlement_cache = EntitlementCache(
        reader, services.settings.entitlement_cache_seconds
    )
    api.state.check_counts = counts
    api.state.before_metrics = [counts.publish]
    errors.install(api)
    # Routes are tried in this order: the busiest come first.
    for face in (webhooks, entitlements, customers, subscriptions, invoices, grants, operators):
        api.include_router(face.router, prefix=PREFIX)
    api.include_router(health.router)
    _describe_problems(api)
    return api


@asynccontextmanager
async def _lifespan(api: FastAPI) -> AsyncIterator[None]:
    """Listen to hints for as long as the server runs."""
    ring: KeyRing = api.state.key_ring
    cache: EntitlementCache = api.state.entitlement_cache

    def missed() -> None:
        ring.missed()
        cache.missed()

    listeners = [
        Listener(api.state.services.redis_url, channel, heard=heard, missed=missed)
        for channel, heard in ((Channel.PROJECTED, cache.heard), (Channel.APPENDED, ring.heard))
    ]
    try:
        yield
    finally:
        await asyncio.gather(*(asyncio.to_thread(listener.close) for listener in listeners))
        await cache.close()
        await api.state.snapshot_reader.close()


def _describe_problems(api: FastAPI) -> None:
    """Put the problem document among the schemas that operations refer to."""
    described = api.openapi

    def openapi() -> dict[str, object]:
        document = described()
        schema = ProblemDocument.model_json_schema(ref_template="#/components/schemas/{model}")
        schemas = document.setdefault("components", {}).setdefault("schemas", {})
        schemas.update(schema.pop("$defs", {}))
        schemas["ProblemDocument"] = schema
        return document

    api.openapi = openapi  # type: ignore[method-assign]
