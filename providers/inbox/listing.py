"""Reading the inbox: one message, the newest ones, and how many stand where."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from psycopg import Connection

from ledger.errors import NotFound
from ledger.ids import bucket_in
from providers.inbox.message import COLUMNS, InboxRow, Kept, Status, kept, row_of


@dataclass(frozen=True, slots=True)
class Counts:
    """How many messages stand where, and how many of each type no reader knows."""

    by_status: dict[Status, int]
    unmapped: dict[str, int]


_GET: Final = f"""
    SELECT {COLUMNS}, row.payload FROM webhook_inbox AS row WHERE bucket = %b AND id = %b"""

_LIST: Final = f"""
    SELECT {COLUMNS} FROM webhook_inbox AS row
    WHERE (%(status)b::text IS NULL OR status = %(status)b::text)
        AND (%(type)b::text IS NULL OR type = %(type)b::text)
        AND (%(at)b::timestamptz IS NULL
            OR (received_at, id) < (%(at)b::timestamptz, %(id)b::uuid))
    ORDER BY received_at DESC, id DESC LIMIT %(limit)b"""

_COUNTS: Final = """
    SELECT status, CASE WHEN status = 'ignored' AND reason = 'unmapped' THEN type END, count(*)
    FROM webhook_inbox GROUP BY 1, 2"""


def get(connection: Connection, identifier: UUID) -> Kept:
    """A message with its bytes; raises NotFound."""
    row = connection.execute(_GET, (bucket_in(identifier), identifier), prepare=True).fetchone()
    if row is None:
        raise NotFound("webhook", str(identifier))
    return kept(row)


def list_rows(
    connection: Connection,
    *,
    status: Status | None = None,
    event_type: str | None = None,
    before: tuple[datetime, UUID] | None = None,
    limit: int = 50,
) -> list[InboxRow]:
    """Messages from the newest on; `before` is the `received_at` and id of the last one seen."""
    at, identifier = before or (None, None)
    rows = connection.execute(
        _LIST,
        {
            "status": status.value if status else None,
            "type": event_type,
            "at": at,
            "id": identifier,
            "limit": limit,
        },
        prepare=True,
    )
    return [row_of(row) for row in rows]


def counts(connection: Connection) -> Counts:
    """How many messages stand where."""
    by_status = dict.fromkeys(Status, 0)
    unmapped: dict[str, int] = {}
    for status, unmapped_type, number in connection.execute(_COUNTS, prepare=True):
        by_status[Status(status)] += number
        if unmapped_type is not None:
            unmapped[unmapped_type] = number
    return Counts(by_status, unmapped)
