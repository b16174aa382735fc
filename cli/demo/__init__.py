"""`folio demo`: everything on this machine, with a project to look at."""

from __future__ import annotations

from typing import Annotated

import typer


def demo(
    port: Annotated[
        int | None,
        typer.Option(help="Port of the API. [default: FOLIO_API_PORT, else 8080 or the next]"),
    ] = None,
    stripe_port: Annotated[
        int | None,
        typer.Option(envvar="FOLIO_DEMO_STRIPE_PORT", help="Port of the simulated Stripe."),
    ] = None,
) -> None:
    """Start everything on this machine, load a demo project at the first start, and keep running.

    Data stay in FOLIO_DATA_DIR (.folio). DATABASE_URL and REDIS_URL, where set, are used instead
    of the embedded servers. Ctrl-C stops everything.
    """
    from cli.demo.show import show
    from cli.demo.trouble import Trouble
    from wiring.settings import Settings

    try:
        settings = Settings()
        chosen = settings.api_port if "api_port" in settings.model_fields_set else None
        show(settings, port or chosen, stripe_port)
    except Trouble as trouble:
        typer.echo(str(trouble), err=True)
        raise typer.Exit(trouble.exit_code) from None
