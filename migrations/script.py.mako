"""${message}."""

from __future__ import annotations

from alembic import op

from migrations.rights import append_only, changeable

revision = "${up_revision}"
down_revision = ${repr(down_revision)}


def upgrade() -> None:
    op.execute("")
