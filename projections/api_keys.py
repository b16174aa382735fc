"""API keys, found by their public id: only a keyed hash of the secret is known."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

from msgspec.structs import replace

from ledger.events.base import RecordedEvent
from ledger.events.project import ApiKeyIssued, ApiKeyRetired, ApiKeyRevoked, Scope
from ledger.ids import bucket_in
from projections.base import Batch, Projection, Tables, fold
from projections.table import Database, Key, ReadRow, Table


class ApiKey(ReadRow, frozen=True):
    """A key of an app; it lives until `valid_until` or `revoked_at`, for ever without either."""

    bucket: int
    key_id: str
    app: UUID
    project: UUID
    scope: Scope
    secret_hash: str
    issued_at: datetime
    valid_until: datetime | None
    revoked_at: datetime | None
    revoke_reason: str | None
    position: int

    def lives(self, now: datetime) -> bool:
        """Whether the key opens anything at this moment."""
        if self.revoked_at is not None:
            return False
        return self.valid_until is None or now < self.valid_until


API_KEY: Final = Table(
    "api_key",
    ApiKey,
    {
        "bucket": "smallint NOT NULL",
        "key_id": "text NOT NULL",
        "app": "uuid NOT NULL",
        "project": "uuid NOT NULL",
        "scope": "text NOT NULL",
        "secret_hash": "text NOT NULL",
        "issued_at": "timestamptz NOT NULL",
        "valid_until": "timestamptz",
        "revoked_at": "timestamptz",
        "revoke_reason": "text",
        "position": "bigint NOT NULL",
    },
    key=("bucket", "key_id"),
    indexes=("(key_id)", "(bucket, app)"),
    kinds={"scope": Scope},
)


def _step(row: ApiKey | None, recorded: RecordedEvent) -> ApiKey | None:
    event, at = recorded.event, recorded.effective_at
    if isinstance(event, ApiKeyIssued):
        return ApiKey(
            bucket=recorded.bucket,
            key_id=event.key_id,
            app=recorded.stream,
            project=recorded.project,
            scope=event.scope,
            secret_hash=event.secret_hash,
            issued_at=at,
            valid_until=None,
            revoked_at=None,
            revoke_reason=None,
            position=recorded.position,
        )
    if row is None:
        return None
    match event:
        case ApiKeyRetired(until=until):
            return replace(row, valid_until=until, position=recorded.position)
        case ApiKeyRevoked(reason=reason):
            return replace(row, revoked_at=at, revoke_reason=reason, position=recorded.position)
    return row


def _key(recorded: RecordedEvent) -> Key:
    assert isinstance(recorded.event, ApiKeyIssued | ApiKeyRetired | ApiKeyRevoked)
    return (recorded.bucket, recorded.event.key_id)


def _apply(tables: Tables, batch: Batch) -> None:
    fold(tables, API_KEY, batch, _step, _key)


API_KEYS: Final = Projection(
    name="api_keys",
    version=1,
    tables=(API_KEY,),
    listens=frozenset({ApiKeyIssued, ApiKeyRetired, ApiKeyRevoked}),
    apply=_apply,
)


def by_key_id(connection: Database, key_id: str) -> ApiKey | None:
    """The key with this public id, dead or alive; it names the project, so none is asked for."""
    found = API_KEY.select(connection, "WHERE key_id = %s ORDER BY bucket LIMIT 1", (key_id,))
    return found[0] if found else None


def of_app(connection: Database, project: UUID, app: UUID) -> list[ApiKey]:
    """The keys of an app, the oldest first."""
    return API_KEY.select(
        connection,
        "WHERE bucket = %s AND app = %s AND project = %s ORDER BY issued_at, key_id",
        (bucket_in(app), app, project),
    )
