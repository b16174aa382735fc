"""What the long-running subcommands share: from the environment to services, and honest ends.

Exit codes: 0 after a clean stop, 2 when a setting is missing or wrong, 3 when a server we need does
not answer at the start.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, NoReturn

import typer

if TYPE_CHECKING:
    from wiring.services import Services

NOT_CONFIGURED: Final = 2
NO_SERVER: Final = 3


@contextmanager
def services() -> Iterator[Services]:
    """The services of this process on a database that is migrated, closed at the end."""
    from psycopg import OperationalError
    from pydantic import ValidationError

    from ledger.errors import Unavailable
    from observability.logs import configure_logs
    from wiring.migrate import MigrationsBusy
    from wiring.services import NotConfigured, build
    from wiring.settings import Settings

    try:
        settings = Settings()
        configure_logs(settings.log_level, settings.log_format)
        _prepare(settings.database_url, settings.schema_owner_url)
        running = build(settings)
    except (NotConfigured, ValidationError) as error:
        _leave(str(error), NOT_CONFIGURED)
    except (OperationalError, Unavailable, MigrationsBusy) as error:
        _leave(f"the database does not answer: {error}", NO_SERVER)
    try:
        yield running
    finally:
        running.close()


def _prepare(database_url: str | None, owner_url: str | None) -> None:
    """Bring the schema and the tables of new read models up to this code."""
    import psycopg

    from projections import builds
    from projections.registry import PROJECTIONS
    from wiring.migrate import migrate
    from wiring.services import needed

    migrate(needed(owner_url, "DATABASE_URL"))
    with psycopg.connect(needed(database_url, "DATABASE_URL"), autocommit=True) as connection:
        builds.ensure(connection, PROJECTIONS)


def _leave(reason: str, code: int) -> NoReturn:
    typer.echo(reason, err=True)
    raise typer.Exit(code)
