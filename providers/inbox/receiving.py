"""Taking messages in: durable, once each, before the provider hears 2xx."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

from psycopg import Connection

from ledger.ids import bucket_in
from providers.inbox.message import Delivery, Status

RECEIVER_LEASE: Final = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Received:
    """What became of a delivery: `new` when this was the first, else how far the first has come."""

    id: UUID
    new: bool
    status: Status


_RECEIVE: Final = """
    INSERT INTO webhook_inbox (
        bucket, id, provider, account, livemode, event_id, type, source, provider_created_at,
        received_at, updated_at, status, attempts, next_attempt_at, sha256, payload)
    VALUES (
        %(bucket)b, %(id)b, %(provider)b, %(account)b, %(livemode)b, %(event_id)b, %(type)b,
        %(source)b, %(created)b, %(now)b, %(now)b, 'received', %(attempts)b, %(next)b,
        %(sha256)b, %(payload)b)
    ON CONFLICT (bucket, provider, account, livemode, event_id) DO NOTHING
    RETURNING true"""

_RECEIVE_MANY: Final = """
    INSERT INTO webhook_inbox (
        bucket, id, provider, account, livemode, event_id, type, source, provider_created_at,
        received_at, updated_at, status, attempts, next_attempt_at, sha256, payload)
    SELECT bucket, id, provider, account, livemode, event_id, type, source, created, now, now,
        'received', %b, now + %b, sha256, payload
    FROM unnest(
        %b::smallint[], %b::uuid[], %b::text[], %b::text[], %b::boolean[], %b::text[], %b::text[],
        %b::text[], %b::timestamptz[], %b::timestamptz[], %b::bytea[], %b::bytea[]
    ) AS delivered (bucket, id, provider, account, livemode, event_id, type, source, created, now,
        sha256, payload)
    ON CONFLICT (bucket, provider, account, livemode, event_id) DO NOTHING
    RETURNING id"""

_STATUS_OF: Final = """
    SELECT row.id, row.status
    FROM unnest(%b::smallint[], %b::uuid[]) AS asked (bucket, id)
    JOIN webhook_inbox AS row USING (bucket, id)"""


def receive(
    connection: Connection, delivery: Delivery, lease: timedelta = RECEIVER_LEASE
) -> Received:
    """Keep a delivery once and for all; the receiver has `lease` to fold it before a sweeper may.

    A lease of nothing leaves the message to the sweepers.
    """
    identifier = delivery.id
    new = connection.execute(
        _RECEIVE,
        {
            "bucket": bucket_in(identifier),
            "id": identifier,
            "provider": delivery.account.provider,
            "account": delivery.account.account,
            "livemode": delivery.account.livemode,
            "event_id": delivery.event_id,
            "type": delivery.type,
            "source": delivery.source.value,
            "created": delivery.provider_created_at,
            "now": delivery.received_at,
            "next": delivery.received_at + lease,
            "attempts": 1 if lease else 0,
            "sha256": hashlib.sha256(delivery.payload).digest(),
            "payload": delivery.payload,
        },
        prepare=True,
    ).fetchone()
    if new:
        return Received(identifier, True, Status.RECEIVED)
    return Received(identifier, False, _statuses(connection, [identifier])[identifier])


def receive_many(
    connection: Connection, deliveries: Sequence[Delivery], lease: timedelta = RECEIVER_LEASE
) -> list[Received]:
    """Keep a group of deliveries in one commit; what became of each, in their order."""
    ids = [delivery.id for delivery in deliveries]
    # Rows in one order everywhere: two groups with the same messages cannot wait for each other.
    rows = sorted(zip(ids, deliveries, strict=True), key=lambda row: (bucket_in(row[0]), row[0]))
    added = connection.execute(
        _RECEIVE_MANY,
        (
            1 if lease else 0,
            lease,
            [bucket_in(identifier) for identifier, _ in rows],
            [identifier for identifier, _ in rows],
            [row.account.provider for _, row in rows],
            [row.account.account for _, row in rows],
            [row.account.livemode for _, row in rows],
            [row.event_id for _, row in rows],
            [row.type for _, row in rows],
            [row.source.value for _, row in rows],
            [row.provider_created_at for _, row in rows],
            [row.received_at for _, row in rows],
            [hashlib.sha256(row.payload).digest() for _, row in rows],
            [row.payload for _, row in rows],
        ),
        prepare=True,
    ).fetchall()
    new = {row[0] for row in added}
    known = _statuses(connection, [one for one in ids if one not in new])
    return list(_outcomes(ids, new, known))


def _outcomes(ids: Sequence[UUID], new: set[UUID], known: dict[UUID, Status]) -> Iterator[Received]:
    for identifier in ids:
        yield Received(identifier, identifier in new, known.get(identifier, Status.RECEIVED))
        new.discard(identifier)  # the same message again in one group is a duplicate


def _statuses(connection: Connection, ids: Sequence[UUID]) -> dict[UUID, Status]:
    if not ids:
        return {}
    buckets = [bucket_in(identifier) for identifier in ids]
    rows = connection.execute(_STATUS_OF, (buckets, list(ids)), prepare=True)
    return {row[0]: Status(row[1]) for row in rows}
