"""Heartbeats: which process holds a role that only one may have, and when it last was alive."""

from __future__ import annotations

from alembic import op

from migrations.rights import changeable

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

HEARTBEAT = """
CREATE TABLE process_heartbeat (
    process text        PRIMARY KEY,
    holder  text        NOT NULL,
    at      timestamptz NOT NULL
)
"""


def upgrade() -> None:
    op.execute(HEARTBEAT)
    changeable("process_heartbeat")
