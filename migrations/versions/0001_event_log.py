"""The event log: heads, events, journal entries, idempotency records and the one way to append.

`bucket` leads every key, so the same statements run on one PostgreSQL, on hash partitions and
sharded. Nothing here needs a trigger, a sequence or an extension. PostgreSQL 15 to 18.
"""

from __future__ import annotations

from alembic import op

revision = "0001"
down_revision: str | None = None
branch_labels = None
depends_on = None

PARTITIONED = ("log_event", "journal_entry", "idempotency", "log_tracking")

# One row per bucket, rewritten by every append: room on the page keeps the rewrite in place.
HEAD = """
CREATE TABLE log_head (
    bucket      smallint    PRIMARY KEY CHECK (bucket BETWEEN 0 AND 255),
    pos         bigint      NOT NULL,
    recorded_at timestamptz NOT NULL
) WITH (fillfactor = 10)
"""

EVENT = """
CREATE TABLE log_event (
    bucket         smallint    NOT NULL,
    schema_version smallint    NOT NULL,
    version        integer     NOT NULL CHECK (version > 0),
    pos            bigint      NOT NULL,
    stream         uuid        NOT NULL,
    project        uuid        NOT NULL,
    owner          uuid        NOT NULL,
    correlation    uuid        NOT NULL,
    recorded_at    timestamptz NOT NULL,
    effective_at   timestamptz NOT NULL,
    topic          text        NOT NULL,
    actor          text        NOT NULL,
    causation      text,
    state          json        NOT NULL,
    PRIMARY KEY (bucket, stream, version),
    UNIQUE (bucket, pos)
) {partitioned}
"""

# Immutable, so that a CHECK on the entry's own row can ask it; sums are per currency.
BALANCED = """
CREATE FUNCTION journal_balanced(postings jsonb) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT jsonb_array_length(postings) > 0 AND NOT EXISTS (
        SELECT FROM jsonb_array_elements(postings) AS posting
        GROUP BY posting ->> 'currency'
        HAVING sum((posting ->> 'amount')::numeric) IS DISTINCT FROM 0
            OR posting ->> 'currency' IS NULL
    )
$$
"""

ENTRY = """
CREATE TABLE journal_entry (
    bucket       smallint    NOT NULL,
    version      integer     NOT NULL,
    pos          bigint      NOT NULL,
    stream       uuid        NOT NULL,
    project      uuid        NOT NULL,
    owner        uuid        NOT NULL,
    recorded_at  timestamptz NOT NULL,
    effective_at timestamptz NOT NULL,
    kind         text        NOT NULL,
    postings     jsonb       NOT NULL CONSTRAINT balanced CHECK (journal_balanced(postings)),
    PRIMARY KEY (bucket, pos)
) {partitioned}
"""

IDEMPOTENCY = """
CREATE TABLE idempotency (
    bucket      smallint    NOT NULL,
    position    bigint      NOT NULL,
    project     uuid        NOT NULL,
    recorded_at timestamptz NOT NULL,
    key         text        NOT NULL,
    input_hash  bytea       NOT NULL,
    ids         jsonb       NOT NULL,
    PRIMARY KEY (bucket, project, key)
) {partitioned}
"""

# How far a follower that writes to this very bucket has come; written with what it appends.
TRACKING = """
CREATE TABLE log_tracking (
    bucket          smallint NOT NULL,
    notification_id bigint   NOT NULL,
    application     text     NOT NULL,
    PRIMARY KEY (bucket, application)
) {partitioned}
"""

RECEIPTS_BY_KEY = "CREATE INDEX idempotency_project_key ON idempotency (project, key)"

# Writes a group of appends whole, or nothing: then it names the appends that are stale (a stream
# is not at the expected version) or known (their key has a receipt). Arrays run in step: heads by
# ascending bucket; appends with the ordinal of their head; streams, events and keys with the
# ordinal of their append; entries with the ordinal of their event. Events stand in the order of
# their appends, appends in the order of their heads; `ends` counts the events up to and including
# each head, `a_end` up to and including each append.
#
# Taking the head first makes position order commit order, and every statement after it sees what
# the previous holder committed: the checks below are exact, never a race. The scalar subqueries
# keep them index probes whatever the planner's statistics say.
APPEND = """
CREATE FUNCTION log_append(
    at timestamptz, heads smallint[], counts bigint[], ends bigint[],
    a_head int[], a_end bigint[], a_project uuid[], a_owner uuid[], a_correlation uuid[],
    a_actor text[], a_causation text[],
    s_append int[], s_stream uuid[], s_expected int[],
    e_append int[], e_stream uuid[], e_version int[], e_topic text[], e_schema smallint[],
    e_effective timestamptz[], e_state json[],
    j_event int[], j_kind text[], j_postings jsonb[],
    k_append int[], k_project uuid[], k_key text[], k_hash bytea[], k_ids jsonb[],
    OUT positions bigint[], OUT stale int[], OUT known int[]
) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    times timestamptz[];
BEGIN
    IF cardinality(heads) = 1 THEN  -- the common case, at a third of the cost
        INSERT INTO log_head AS head (bucket, pos, recorded_at) VALUES (heads[1], counts[1], at)
        ON CONFLICT (bucket) DO UPDATE
        SET pos = head.pos + excluded.pos,
            recorded_at = greatest(head.recorded_at, excluded.recorded_at)
        RETURNING ARRAY[head.pos], ARRAY[head.recorded_at] INTO positions, times;
    ELSE
        WITH taken AS (
            INSERT INTO log_head AS head (bucket, pos, recorded_at)
            SELECT b, n, at FROM unnest(heads, counts) AS wanted (b, n)
            ON CONFLICT (bucket) DO UPDATE
            SET pos = head.pos + excluded.pos,
                recorded_at = greatest(head.recorded_at, excluded.recorded_at)
            RETURNING head.bucket, head.pos, head.recorded_at
        )
        SELECT array_agg(pos ORDER BY bucket), array_agg(recorded_at ORDER BY bucket)
        INTO positions, times FROM taken;
    END IF;

    IF cardinality(k_append) > 0 THEN
        SELECT array_agg(a) INTO known
        FROM unnest(k_append, k_project, k_key) AS keyed (a, whose, name)
        WHERE (SELECT true FROM idempotency AS i
               WHERE i.bucket = heads[a_head[a]] AND i.project = whose AND i.key = name);
    END IF;
    SELECT array_agg(a) INTO stale
    FROM unnest(s_append, s_stream, s_expected) AS written (a, id, expected)
    WHERE expected <> coalesce((SELECT max(e.version) FROM log_event AS e
                                WHERE e.bucket = heads[a_head[a]] AND e.stream = id), 0);
    IF stale IS NOT NULL OR known IS NOT NULL THEN
        UPDATE log_head AS head SET pos = head.pos - n
        FROM unnest(heads, counts) AS wanted (b, n) WHERE head.bucket = b;
        positions := NULL;
        RETURN;
    END IF;

    INSERT INTO log_event (
        bucket, pos, stream, version, topic, schema_version, project, owner, recorded_at,
        effective_at, actor, correlation, causation, state)
    SELECT heads[h], positions[h] - ends[h] + i, id, v, name, shape, a_project[a], a_owner[a],
        times[h], counted, a_actor[a], a_correlation[a], a_causation[a], body
    FROM unnest(e_append, e_stream, e_version, e_topic, e_schema, e_effective, e_state)
        WITH ORDINALITY AS written (a, id, v, name, shape, counted, body, i)
        CROSS JOIN LATERAL (SELECT a_head[a]) AS of (h);

    IF cardinality(j_event) > 0 THEN
        INSERT INTO journal_entry (
            bucket, pos, stream, version, kind, project, owner, recorded_at, effective_at, postings)
        SELECT heads[h], positions[h] - ends[h] + i, e_stream[i], e_version[i], name,
            a_project[a], a_owner[a], times[h], e_effective[i], lines
        FROM unnest(j_event, j_kind, j_postings) AS entry (i, name, lines)
            CROSS JOIN LATERAL (SELECT e_append[i], a_head[e_append[i]]) AS of (a, h);
    END IF;
    IF cardinality(k_append) > 0 THEN
        INSERT INTO idempotency (bucket, project, key, input_hash, position, ids, recorded_at)
        SELECT heads[h], whose, name, hash, positions[h] - ends[h] + a_end[a], handed, times[h]
        FROM unnest(k_append, k_project, k_key, k_hash, k_ids)
                AS keyed (a, whose, name, hash, handed)
            CROSS JOIN LATERAL (SELECT a_head[a]) AS of (h);
    END IF;
END $$
"""

# An owner can always do more than it granted: a deployment that wants the log append-only against
# its own application logs in as folio_app and migrates as somebody else.
RIGHTS = """
DO $$
BEGIN
    REVOKE ALL ON log_head, log_event, journal_entry, idempotency, log_tracking FROM PUBLIC;
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'folio_app') THEN
        GRANT SELECT, INSERT, UPDATE ON log_head, log_tracking TO folio_app;
        GRANT SELECT, INSERT ON log_event, journal_entry, idempotency TO folio_app;
    END IF;
END $$
"""


def statements(partitions: int = 0) -> list[str]:
    """The log's tables and functions, in order; plain, or over this many hash partitions."""
    partitioned = "PARTITION BY HASH (bucket)" if partitions else ""
    made = [HEAD, BALANCED]
    made += [
        table.format(partitioned=partitioned) for table in (EVENT, ENTRY, IDEMPOTENCY, TRACKING)
    ]
    made += [
        f"CREATE TABLE {table}_{part} PARTITION OF {table} "
        f"FOR VALUES WITH (MODULUS {partitions}, REMAINDER {part})"
        for table in PARTITIONED
        for part in range(partitions)
    ]
    return [*made, RECEIPTS_BY_KEY, APPEND, RIGHTS]


def upgrade() -> None:
    for statement in statements():
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP TABLE log_head, log_event, journal_entry, idempotency, log_tracking")
    op.execute("DROP FUNCTION journal_balanced")
    op.execute("DROP FUNCTION log_append")
