"""`folio migrate`: bring the database of DATABASE_URL to the present schema."""

from __future__ import annotations

import typer


def migrate() -> None:
    """Apply the missing migrations. Every process does this when it starts, too."""
    from wiring.migrate import applied_revision
    from wiring.migrate import migrate as apply_missing
    from wiring.settings import Settings

    settings = Settings()
    owner_url = settings.schema_owner_url
    if owner_url is None:
        typer.echo("DATABASE_URL is not set; an embedded server is migrated when it starts.")
        raise typer.Exit(2)
    for revision in apply_missing(owner_url):
        typer.echo(f"applied {revision}")
    typer.echo(f"the schema is at {applied_revision(owner_url) or 'nothing'}")
