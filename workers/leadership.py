"""Being the one process of its kind, for as long as a database session lasts."""

from __future__ import annotations

from typing import Final, Self

import psycopg
from psycopg.rows import TupleRow

_CONNECT_SECONDS: Final = 5


class Leadership:
    """A seat that one process holds at a time: an advisory lock of PostgreSQL.

    The lock is the session's. It is free at once when the holder ends, however it ends, and the
    next who asks takes over. A holder whose session broke has lost it, and finds out at its next
    `held`; what a leader does must therefore be safe to do twice.
    """

    def __init__(self, database_url: str, seat: int) -> None:
        self._url = database_url
        self._seat = seat
        self._connection: psycopg.Connection[TupleRow] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.leave()

    def held(self) -> bool:
        """Whether we lead now; takes the seat when it is free. Raises psycopg.OperationalError."""
        if self._connection is not None and self._still_there(self._connection):
            return True
        self.leave()
        connection = psycopg.connect(
            self._url,
            autocommit=True,
            connect_timeout=_CONNECT_SECONDS,
            # A dead network is found out in seconds, not in the system's two hours.
            keepalives_idle=2,
            keepalives_interval=2,
            keepalives_count=3,
        )
        try:
            row = connection.execute("SELECT pg_try_advisory_lock(%s)", [self._seat]).fetchone()
        except psycopg.Error:
            connection.close()
            raise
        if row is None or not row[0]:
            connection.close()
            return False
        self._connection = connection
        return True

    def leave(self) -> None:
        """Give the seat up, if we have it."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _still_there(self, connection: psycopg.Connection[TupleRow]) -> bool:
        try:
            connection.execute("SELECT 1")
        except psycopg.OperationalError:
            return False
        return True
