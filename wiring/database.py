"""A pool of database connections in autocommit, whose failures are ours and typed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final
from weakref import WeakKeyDictionary

from psycopg import Connection, OperationalError
from psycopg.errors import ReadOnlySqlTransaction
from psycopg_pool import ConnectionPool, PoolClosed, PoolTimeout

from ledger.errors import Unavailable

_WAIT_SECONDS: Final = 2.0
_TRUSTED_SECONDS: Final = 0.5
_NAME: Final = "the database"
# A server that lost its primary's role answers, but takes no writes: it is away for us.
_AWAY: Final = (PoolTimeout, PoolClosed, OperationalError, ReadOnlySqlTransaction)


class Database:
    """Connections to one database, opened when first needed and again after it was away."""

    def __init__(self, dsn: str, *, smallest: int, largest: int, name: str) -> None:
        self._rested: WeakKeyDictionary[Connection, float] = WeakKeyDictionary()
        self._pool = ConnectionPool(
            dsn,
            min_size=smallest,
            max_size=largest,
            timeout=_WAIT_SECONDS,
            kwargs={"autocommit": True, "application_name": name},
            check=self._check,
            reset=self._rest,
            open=True,
        )

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """A connection of our own for a while; Unavailable when there is none or it breaks."""
        try:
            with self._pool.connection() as connection:
                yield connection
        except _AWAY as error:
            raise Unavailable(_NAME) from error

    def _rest(self, connection: Connection) -> None:
        self._rested[connection] = time.monotonic()

    def _check(self, connection: Connection) -> None:
        # A question to the server for each use would cost as much as the use itself; a connection
        # that worked a moment ago is taken at its word.
        if time.monotonic() - self._rested.get(connection, 0) > _TRUSTED_SECONDS:
            ConnectionPool.check_connection(connection)

    def close(self) -> None:
        self._pool.close()
