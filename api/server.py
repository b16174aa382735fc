"""Runs the application on a port, tuned for short answers."""

from __future__ import annotations

import gc
import socket
from typing import Final

import uvicorn
from starlette.types import ASGIApp

from api.app import create_app
from wiring.services import Services

_SHUTDOWN_SECONDS: Final = 10
_BACKLOG: Final = 2048
# Nearly everything a request makes is freed by counting. A full collection walks the whole cache
# and stalls every request behind it for tens of milliseconds: it may come rarely, and never looks
# at what was there when the server started.
_COLLECT_AFTER: Final = (20_000, 50, 100)


def serve(services: Services, listening: socket.socket | None = None) -> None:
    """Serve until SIGINT or SIGTERM; requests under way are finished first.

    The caller's socket is used when one is given, else the address of the settings.
    """
    app = create_app(services)
    tune_collector()
    server(services, app).run(sockets=[listening] if listening else None)


def server(services: Services, app: ASGIApp) -> uvicorn.Server:
    """The server of an application, not yet running."""
    config = uvicorn.Config(
        app,
        host=services.settings.api_host,
        port=services.settings.api_port,
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="on",
        access_log=False,
        log_config=None,
        server_header=False,
        backlog=_BACKLOG,
        timeout_keep_alive=65,
        timeout_graceful_shutdown=_SHUTDOWN_SECONDS,
    )
    return uvicorn.Server(config)


def tune_collector() -> None:
    """Keep collections rare and short, from now on; for processes that only serve."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_COLLECT_AFTER)
