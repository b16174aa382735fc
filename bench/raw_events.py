"""The raw side of the log's rows: the same bytes into a table alike, with nothing in between."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import Final

import psycopg

from ledger.store.codec import encode_event
from ledger.store.event_log import Append

RAW_TABLE: Final = "CREATE TABLE raw_event (LIKE log_event INCLUDING ALL)"
RIGHTS: Final = "GRANT SELECT, INSERT ON raw_event TO PUBLIC"
COLUMNS: Final = (
    "bucket, pos, stream, version, topic, schema_version, project, owner, recorded_at,"
    " effective_at, actor, correlation, causation, state"
)
INSERT: Final = f"INSERT INTO raw_event ({COLUMNS}) VALUES ({', '.join(['%b'] * 13)}, %b::json)"
_TYPES: Final = (
    "smallint bigint uuid int text smallint uuid uuid timestamptz timestamptz text uuid text text"
)
INSERT_BATCH: Final = (
    f"INSERT INTO raw_event ({COLUMNS}) SELECT a, b, c, d, e, f, g, h, i, j, k, l, m, n::json"
    f" FROM unnest({', '.join(f'%b::{name}[]' for name in _TYPES.split())})"
    " AS u (a, b, c, d, e, f, g, h, i, j, k, l, m, n)"
)

RawRow = tuple[object, ...]


def raw_rows(appends: Sequence[Append], positions: dict[int, int]) -> list[RawRow]:
    """The rows these appends come to, with positions counted on from those given."""
    rows: list[RawRow] = []
    for append in appends:
        bucket = append.bucket
        for new in append.events:
            positions[bucket] = positions.get(bucket, 0) + 1
            rows.append(
                (
                    bucket,
                    positions[bucket],
                    new.stream,
                    new.version,
                    new.event.NAME,
                    new.event.VERSION,
                    append.project,
                    append.owner,
                    new.effective_at,
                    new.effective_at,
                    append.actor,
                    append.correlation,
                    append.causation,
                    encode_event(new.event).decode(),
                )
            )
    return rows


def in_threads(work: Sequence[Callable[[], None]]) -> float:
    """The seconds that several threads need together, from a common start."""
    ready = threading.Barrier(len(work) + 1)

    def run(job: Callable[[], None]) -> None:
        ready.wait()
        job()

    threads = [threading.Thread(target=run, args=(job,)) for job in work]
    for thread in threads:
        thread.start()
    ready.wait()
    started = time.perf_counter()
    for thread in threads:
        thread.join()
    return time.perf_counter() - started


def connect(url: str) -> psycopg.Connection:
    """A connection that prepares what it runs, in autocommit."""
    return psycopg.connect(url, autocommit=True, prepare_threshold=0)
