"""How Alembic runs our migrations: one connection of our own, one transaction per file."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final

import psycopg
from alembic import context
from alembic.runtime.migration import MigrationContext, MigrationInfo
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from migrations import APPLICATION_ROLE

_LOCK_TIMEOUT: Final = "5s"

# The product asks whether the schema is the one it knows.
_LET_PRODUCT_READ: Final = f"""
DO $$ BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = '{APPLICATION_ROLE}') THEN
        GRANT SELECT ON alembic_version TO {APPLICATION_ROLE};
    END IF;
END $$
"""


def _run() -> None:
    url: str = context.config.attributes["url"]
    applied: list[str] = context.config.attributes["applied"]

    def connect() -> psycopg.Connection:
        return psycopg.connect(url, options=f"-c lock_timeout={_LOCK_TIMEOUT}")

    def remember(
        ctx: MigrationContext,
        step: MigrationInfo,
        heads: Collection[Any],
        run_args: Mapping[str, Any],
    ) -> None:
        applied.extend(step.up_revision_ids)

    engine = create_engine("postgresql+psycopg://", creator=connect, poolclass=NullPool)
    with engine.connect() as connection:
        context.configure(
            connection=connection, transaction_per_migration=True, on_version_apply=remember
        )
        with context.begin_transaction():
            context.run_migrations()
        connection.exec_driver_sql(_LET_PRODUCT_READ)
        connection.commit()


_run()
