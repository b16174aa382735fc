"""What the product's own role may do with a durable table; called by the migration that makes it.

A deployment without that role runs the product as the owner of the
tables, who can always do more than it granted.
"""

from __future__ import annotations

from alembic import op

from migrations import APPLICATION_ROLE

__all__ = ["APPLICATION_ROLE", "append_only", "changeable"]


def append_only(*tables: str) -> None:
    """The product may read and add rows, never change or remove one."""
    _grant("SELECT, INSERT", tables)


def changeable(*tables: str) -> None:
    """The product may read, add, change and remove rows."""
    _grant("SELECT, INSERT, UPDATE, DELETE", tables)


def _grant(rights: str, tables: tuple[str, ...]) -> None:
    named = ", ".join(tables)
    op.execute(f"REVOKE ALL ON {named} FROM PUBLIC")
    op.execute(
        f"""
        DO $$ BEGIN
            IF EXISTS (SELECT FROM pg_roles WHERE rolname = '{APPLICATION_ROLE}') THEN
                GRANT {rights} ON {named} TO {APPLICATION_ROLE};
            END IF;
        END $$
        """
    )
