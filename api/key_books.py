"""What our books say of an API key."""

from __future__ import annotations

from api.key_ring import KnownKey
from ledger.project import App, evolve_app
from projections import api_keys
from wiring.services import Services


def read_key(services: Services, key_id: str) -> KnownKey | None:
    """A key by its public id, with its end as the log has it now; None when there is none.

    The read model only finds the app: whether the key lives is asked of the log itself, so that
    a revoked key is dead even while every read model stands still.
    """
    with services.database.connection() as connection:
        row = api_keys.by_key_id(connection, key_id)
    if row is None:
        return None
    app: App | None = None
    for happened in services.log.stream(row.app):
        app = evolve_app(app, happened)
    key = app.keys.get(key_id) if app else None
    if key is None:
        return None
    return KnownKey(
        key_id=key_id,
        project=row.project,
        app=row.app,
        scope=key.scope,
        secret_hash=bytes.fromhex(row.secret_hash),
        until=key.until,
    )
