"""`folio serve`: the HTTP API."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    import socket


def serve() -> None:
    """Serve the HTTP API on FOLIO_API_HOST and FOLIO_API_PORT.

    Needs DATABASE_URL and REDIS_URL; STRIPE_WEBHOOK_SECRET to accept webhooks. Any number may run.
    SIGTERM finishes the requests under way. Exits 2 when a setting is missing or the port is
    taken, 3 when the database does not answer at the start.
    """
    from api.server import serve as serve_api
    from cli.process import services
    from workers.main import stop_on_signal

    # The server takes the signals while it runs and gives them back at its end, for us to end well.
    stop_on_signal()
    with services() as running:
        settings = running.settings
        with _listen(settings.api_host, settings.api_port) as listening:
            serve_api(running, listening)


def _listen(host: str, port: int) -> socket.socket:
    import socket

    from cli.process import NOT_CONFIGURED
    from observability.logs import logger

    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listening = socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        typer.echo(f"Cannot listen on {host} port {port}: {error.strerror}.", err=True)
        raise typer.Exit(NOT_CONFIGURED) from None
    logger(__name__).info("api listens", host=host, port=listening.getsockname()[1])
    return listening
