"""The servers that HTTP rows compare, each in a process of its own with the same settings.

`python -m bench.http_servers KIND` prints its port and serves until it is told to stop. Settings
come from the environment, as for `folio serve`.
"""

from __future__ import annotations

import hashlib
import hmac
import socket
import sys
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

import uvicorn
from fastapi import FastAPI, Request, Response
from psycopg_pool import AsyncConnectionPool
from starlette.types import ASGIApp, Receive, Scope, Send

from api.server import server, tune_collector
from bench.http_world import RAW_TABLE
from wiring.services import Services, build
from wiring.settings import Settings

_CONSTANT: Final = (
    b'{"allowed":true,"value":5,"reason":"grant","source":"grant","valid_until":null,'
    b'"position":1,"feature":"seats","customer":"ann"}'
)


def folio(services: Services) -> ASGIApp:
    """The product."""
    from api.app import create_app

    return create_app(services)


def framework(services: Services) -> ASGIApp:
    """A minimal FastAPI endpoint with two query parameters."""
    app = FastAPI()

    @app.get("/api/v1/entitlements/check")
    async def check(customer: str, feature: str) -> dict[str, object]:
        return {"allowed": True, "value": 5, "feature": feature, "customer": customer}

    return app


def constant(services: Services) -> ASGIApp:
    """A bare ASGI application with one answer."""
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(_CONSTANT)).encode()),
    ]

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await receive()
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await send({"type": "lifespan.shutdown.complete"})
            return
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": _CONSTANT})

    return app


def insert(services: Services) -> ASGIApp:
    """An endpoint that verifies a signature and inserts one raw row."""
    pool = AsyncConnectionPool(
        services.database_url, min_size=8, max_size=16, kwargs={"autocommit": True}, open=False
    )

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        async with pool:
            yield

    app = FastAPI(lifespan=lifespan)
    secret = services.settings.stripe_webhook_secrets[0].get_secret_value().encode()

    @app.post("/api/v1/webhooks/stripe")
    async def receive(request: Request) -> Response:
        body = await request.body()
        parts = dict(part.split("=", 1) for part in request.headers["stripe-signature"].split(","))
        signed = parts["t"].encode() + b"." + body
        expected = hmac.new(secret, signed, hashlib.sha256).hexdigest()
        if not hmac.compare_digest(expected, parts["v1"]):
            return Response(status_code=400)
        async with pool.connection() as connection:
            await connection.execute(f"INSERT INTO {RAW_TABLE} (payload) VALUES (%b)", [body])
        return Response(status_code=200)

    return app


KINDS: Final[dict[str, Callable[[Services], ASGIApp]]] = {
    kind.__name__: kind for kind in (folio, framework, constant, insert)
}


def main() -> None:
    services = build(Settings())
    if sys.argv[1] == "follow":
        follow(services)
        return
    listening = socket.create_server(("127.0.0.1", 0), backlog=1024)
    running: uvicorn.Server = server(services, KINDS[sys.argv[1]](services))
    tune_collector()
    print(listening.getsockname()[1], flush=True)
    running.run(sockets=[listening])
    services.close()


def follow(services: Services) -> None:
    """Keep the read models up, as the worker does."""
    from projections.registry import PROJECTIONS
    from workers.follower import ReadModels

    ReadModels(services, PROJECTIONS).start()
    print(0, flush=True)
    threading.Event().wait()


if __name__ == "__main__":
    main()
