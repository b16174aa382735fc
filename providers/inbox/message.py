"""A message in the inbox: what came in, and how far we have come with it. Table: migration 0002."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from psycopg.rows import TupleRow

from ledger.errors import Corrupt
from ledger.facts import ProviderAccount
from ledger.ids import owner_id


class Status(StrEnum):
    """How far we have come with a message."""

    RECEIVED = "received"  # durable, not yet interpreted
    FOLDED = "folded"  # its facts are in the log
    PARKED = "parked"  # waits for something not yet heard of
    IGNORED = "ignored"  # gives no fact, and the reason says why
    FAILED = "failed"  # could not be taken in, and the reason says why


class Source(StrEnum):
    """How a message reached us."""

    WEBHOOK = "webhook"
    EVENTS_API = "events_api"
    REPLAY = "replay"


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """A verified message as it came in; the same message always gets the same id."""

    account: ProviderAccount
    event_id: str
    type: str
    provider_created_at: datetime
    received_at: datetime
    payload: bytes
    source: Source = Source.WEBHOOK

    @property
    def id(self) -> UUID:
        return owner_id(*self.account.parts(self.event_id))


@dataclass(frozen=True, slots=True)
class InboxRow:
    """A message and how far we have come with it; `next_attempt_at` is None when that is all."""

    id: UUID
    account: ProviderAccount
    event_id: str
    type: str
    source: Source
    provider_created_at: datetime
    received_at: datetime
    updated_at: datetime
    sha256: bytes
    status: Status
    reason: str | None
    dependency: str | None
    attempts: int
    next_attempt_at: datetime | None
    folded_bucket: int | None
    folded_position: int | None


@dataclass(frozen=True, slots=True)
class Kept:
    """A message with the bytes it came in."""

    row: InboxRow
    stored: bytes

    def payload(self) -> bytes:
        """The bytes; raises Corrupt when they are not those that were received."""
        if hashlib.sha256(self.stored).digest() != self.row.sha256:
            raise Corrupt(f"webhook {self.row.id}", "its bytes are not those that were received")
        return self.stored


COLUMNS: Final = """
    row.id, row.event_id, row.type, row.source, row.provider_created_at, row.received_at,
    row.updated_at, row.sha256, row.status, row.reason, row.dependency, row.attempts,
    row.next_attempt_at, row.folded_bucket, row.folded_position,
    row.provider, row.account, row.livemode"""


def row_of(columns: TupleRow) -> InboxRow:
    """A row of COLUMNS."""
    return InboxRow(
        id=columns[0],
        event_id=columns[1],
        type=columns[2],
        source=Source(columns[3]),
        provider_created_at=columns[4],
        received_at=columns[5],
        updated_at=columns[6],
        sha256=columns[7],
        status=Status(columns[8]),
        reason=columns[9],
        dependency=columns[10],
        attempts=columns[11],
        next_attempt_at=columns[12],
        folded_bucket=columns[13],
        folded_position=columns[14],
        account=ProviderAccount(*columns[15:18]),
    )


def kept(columns: TupleRow) -> Kept:
    """A row of COLUMNS and the payload."""
    return Kept(row_of(columns[:-1]), columns[-1])
