"""Where projections stand: their builds, how far each has read each bucket, and what stopped one.

The tables that projections fill are disposable; each projection makes its own in `read_model`.
"""

from __future__ import annotations

from alembic import op

from migrations.rights import APPLICATION_ROLE, changeable

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

# A build is one set of a projection's tables. Queries read the live one; a rebuild fills another.
BUILD = """
CREATE TABLE projection_build (
    projection text    NOT NULL,
    build      text    NOT NULL,
    version    integer NOT NULL,
    live       boolean NOT NULL,
    PRIMARY KEY (projection, build)
)
"""

ONE_LIVE_BUILD = "CREATE UNIQUE INDEX projection_live ON projection_build (projection) WHERE live"

# `projection` names the build as well: two builds of one projection read at their own pace.
CHECKPOINT = """
CREATE TABLE projection_checkpoint (
    bucket     smallint NOT NULL,
    projection text     NOT NULL,
    position   bigint   NOT NULL,
    PRIMARY KEY (bucket, projection)
) WITH (fillfactor = 20)
"""

# An event that a projection cannot take in: its bucket waits there, for that projection alone.
FAILURE = """
CREATE TABLE projection_failure (
    bucket     smallint    NOT NULL,
    projection text        NOT NULL,
    position   bigint      NOT NULL,
    error      text        NOT NULL,
    at         timestamptz NOT NULL,
    PRIMARY KEY (bucket, projection)
)
"""

LET_PRODUCT_IN = f"""
DO $$ BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = '{APPLICATION_ROLE}') THEN
        GRANT USAGE, CREATE ON SCHEMA read_model TO {APPLICATION_ROLE};
    END IF;
END $$
"""


def upgrade() -> None:
    for statement in (BUILD, ONE_LIVE_BUILD, CHECKPOINT, FAILURE):
        op.execute(statement)
    changeable("projection_build", "projection_checkpoint", "projection_failure")
    op.execute("CREATE SCHEMA read_model")
    op.execute(LET_PRODUCT_IN)
