"""Reading one's own writes: a read that waits for the position its caller has been given."""

from __future__ import annotations

from ledger.errors import InvalidInput
from projections import checkpoints
from projections.table import Database
from wiring.services import Services


def reach(
    services: Services, connection: Database, projection: str, bucket: int, position: int | None
) -> None:
    """Return once a read model has reached a position of a bucket; NotReady when it takes long."""
    if position is None or checkpoints.reached(connection, projection, bucket) >= position:
        return
    check_reachable(services, bucket, position)
    wait = services.settings.position_wait_seconds
    checkpoints.wait_for(connection, projection, bucket, position, wait)


def check_reachable(services: Services, bucket: int, position: int) -> None:
    """Refuse a position that nobody was ever given: waiting for it would only hold a connection."""
    if position > services.log.heads([bucket]).get(bucket, 0):
        raise InvalidInput("min_position", "is beyond the end of the log")
