"""The webhook inbox: every message of a provider once, with the bytes it came in.

`bucket` leads the keys, as in the log. What was received never changes: the product's role may
update how far a message has come, not a byte of what it said.
"""

from __future__ import annotations

from alembic import op

from migrations.rights import APPLICATION_ROLE, append_only

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

# `next_attempt_at` is when a sweeper may take the row: null when nothing is left to do. `attempts`
# counts the tries that were begun. A parked row waits for `dependency`.
INBOX = """
CREATE TABLE webhook_inbox (
    bucket              smallint    NOT NULL,
    folded_bucket       smallint,
    attempts            integer     NOT NULL,
    folded_position     bigint,
    id                  uuid        NOT NULL,
    provider_created_at timestamptz NOT NULL,
    received_at         timestamptz NOT NULL,
    updated_at          timestamptz NOT NULL,
    next_attempt_at     timestamptz,
    livemode            boolean     NOT NULL,
    provider            text        NOT NULL,
    account             text        NOT NULL,
    event_id            text        NOT NULL,
    type                text        NOT NULL,
    source              text        NOT NULL
        CHECK (source IN ('webhook', 'events_api', 'replay')),
    status              text        NOT NULL
        CHECK (status IN ('received', 'folded', 'parked', 'ignored', 'failed')),
    reason              text,
    dependency          text,
    sha256              bytea       NOT NULL CHECK (octet_length(sha256) = 32),
    payload             bytea       NOT NULL,
    PRIMARY KEY (bucket, id),
    UNIQUE (bucket, provider, account, livemode, event_id)
)
"""

# Compression is most of what storing a payload costs, and payloads are read once.
UNCOMPRESSED = "ALTER TABLE webhook_inbox ALTER COLUMN payload SET STORAGE EXTERNAL"

DUE = """
CREATE INDEX webhook_inbox_due ON webhook_inbox (next_attempt_at)
WHERE next_attempt_at IS NOT NULL
"""

WAITING = "CREATE INDEX webhook_inbox_waiting ON webhook_inbox (dependency) WHERE status = 'parked'"

NEWEST = "CREATE INDEX webhook_inbox_newest ON webhook_inbox (received_at, id)"

PROGRESS = (
    "status, reason, dependency, attempts, next_attempt_at, folded_bucket, folded_position, "
    "updated_at"
)

LET_PROGRESS = f"""
DO $$ BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = '{APPLICATION_ROLE}') THEN
        GRANT UPDATE ({PROGRESS}) ON webhook_inbox TO {APPLICATION_ROLE};
    END IF;
END $$
"""


def upgrade() -> None:
    for statement in (INBOX, UNCOMPRESSED, DUE, WAITING, NEWEST):
        op.execute(statement)
    append_only("webhook_inbox")
    op.execute(LET_PROGRESS)


def downgrade() -> None:
    op.execute("DROP TABLE webhook_inbox")
