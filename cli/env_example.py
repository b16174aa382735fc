"""`folio env-example`: print `.env.example`."""

from __future__ import annotations

import typer


def env_example() -> None:
    """Print every setting with its meaning and its default, as a `.env` file."""
    from wiring.env_example import env_example as text

    typer.echo(text(), nl=False)
