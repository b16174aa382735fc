"""Grants as operators gave them: who has what without paying, why, and until when."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

from msgspec.structs import replace

from ledger.events.base import RecordedEvent
from ledger.events.catalog import FeatureTerm
from ledger.events.grant import GrantEffect, GrantExpired, GrantGiven, GrantRevoked
from ledger.ids import bucket_in
from projections.base import Batch, Projection, Tables, fold
from projections.table import Database, ReadRow, Table


class Grant(ReadRow, frozen=True):
    """A grant, override, block or denial; `given_by` is the actor, times are when it counts."""

    bucket: int
    id: UUID
    project: UUID
    customer: UUID
    feature: str
    effect: GrantEffect
    term: FeatureTerm
    starts_at: datetime
    expires_at: datetime | None
    reason: str
    given_by: str
    given_at: datetime
    revoked_at: datetime | None
    revoked_by: str | None
    revoke_reason: str | None
    expired: bool
    position: int


GRANT: Final = Table(
    "entitlement_grant",
    Grant,
    {
        "bucket": "smallint NOT NULL",
        "id": "uuid NOT NULL",
        "project": "uuid NOT NULL",
        "customer": "uuid NOT NULL",
        "feature": "text NOT NULL",
        "effect": "text NOT NULL",
        "term": "jsonb NOT NULL",
        "starts_at": "timestamptz NOT NULL",
        "expires_at": "timestamptz",
        "reason": "text NOT NULL",
        "given_by": "text NOT NULL",
        "given_at": "timestamptz NOT NULL",
        "revoked_at": "timestamptz",
        "revoked_by": "text",
        "revoke_reason": "text",
        "expired": "boolean NOT NULL",
        "position": "bigint NOT NULL",
    },
    key=("bucket", "id"),
    indexes=("(bucket, customer)", "(project, id)"),
    documents={"term": FeatureTerm},
    kinds={"effect": GrantEffect},
)


def _step(row: Grant | None, recorded: RecordedEvent) -> Grant | None:
    event = recorded.event
    if isinstance(event, GrantGiven):
        return Grant(
            bucket=recorded.bucket,
            id=recorded.stream,
            project=recorded.project,
            customer=event.customer,
            feature=event.term.feature.key,
            effect=event.effect,
            term=event.term,
            starts_at=event.starts_at,
            expires_at=event.expires_at,
            reason=event.reason,
            given_by=recorded.actor,
            given_at=recorded.recorded_at,
            revoked_at=None,
            revoked_by=None,
            revoke_reason=None,
            expired=False,
            position=recorded.position,
        )
    if row is None:
        return None
    match event:
        case GrantRevoked(reason=reason):
            return replace(
                row,
                revoked_at=recorded.effective_at,
                revoked_by=recorded.actor,
                revoke_reason=reason,
                position=recorded.position,
            )
        case GrantExpired():
            return replace(row, expired=True, position=recorded.position)
    return row


def _apply(tables: Tables, batch: Batch) -> None:
    fold(tables, GRANT, batch, _step)


GRANTS: Final = Projection(
    name="grants",
    version=1,
    tables=(GRANT,),
    listens=frozenset({GrantExpired, GrantGiven, GrantRevoked}),
    apply=_apply,
)


def by_id(connection: Database, project: UUID, grant: UUID) -> Grant | None:
    """A grant of this project."""
    found = GRANT.select(
        connection,
        "WHERE bucket = %s AND id = %s AND project = %s",
        (bucket_in(grant), grant, project),
    )
    return found[0] if found else None


def of_customer(connection: Database, project: UUID, customer: UUID) -> list[Grant]:
    """A customer's grants in the order they were given."""
    return GRANT.select(
        connection,
        "WHERE bucket = %s AND customer = %s AND project = %s ORDER BY given_at, id",
        (bucket_in(customer), customer, project),
    )


def page(
    connection: Database, project: UUID, *, limit: int, after: UUID | None = None
) -> list[Grant]:
    """Grants of a project by id, beyond `after`."""
    return GRANT.select(
        connection,
        "WHERE project = %s AND id > %s ORDER BY id LIMIT %s",
        (project, after or UUID(int=0), limit),
    )
