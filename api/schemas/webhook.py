"""Messages from providers, as documents."""

from __future__ import annotations

from datetime import datetime
from typing import Self
from uuid import UUID

from pydantic import Field

from api.schemas.base import Told
from providers.inbox import InboxRow, Source, Status
from wiring.intake import Accepted


class ReceivedWebhook(Told):
    """What became of a message; a repeated one says how far the first has come."""

    id: UUID
    event_id: str
    new: bool
    status: Status
    bucket: int | None
    position: int | None = Field(description="The place of its last event in the log's bucket.")

    @classmethod
    def of(cls, accepted: Accepted) -> Self:
        receipt = accepted.receipt
        return cls(
            id=accepted.id,
            event_id=accepted.event_id,
            new=accepted.new,
            status=accepted.status,
            bucket=receipt.bucket if receipt.position else None,
            position=receipt.position or None,
        )


class Webhook(Told):
    """A message as the inbox keeps it."""

    id: UUID
    event_id: str
    type: str
    provider: str
    account: str
    livemode: bool
    source: Source
    status: Status
    reason: str | None
    dependency: str | None = Field(description="What a parked message waits for.")
    attempts: int
    provider_created_at: datetime
    received_at: datetime
    next_attempt_at: datetime | None
    sha256: str
    position: int | None

    @classmethod
    def of(cls, row: InboxRow) -> Self:
        return cls(
            id=row.id,
            event_id=row.event_id,
            type=row.type,
            provider=row.account.provider,
            account=row.account.account,
            livemode=row.account.livemode,
            source=row.source,
            status=row.status,
            reason=row.reason,
            dependency=row.dependency,
            attempts=row.attempts,
            provider_created_at=row.provider_created_at,
            received_at=row.received_at,
            next_attempt_at=row.next_attempt_at,
            sha256=row.sha256.hex(),
            position=row.folded_position,
        )
