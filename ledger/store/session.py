"""A connection pinned to the log, with its statements prepared, and a small stock of them."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

import psycopg
from psycopg import pq
from psycopg.errors import error_from_result
from psycopg.types.string import ByteaBinaryLoader

from ledger.errors import Unavailable
from ledger.store.arrays import read_numbers

_APPEND: Final = b"log_append"
_ARGUMENTS: Final = 29
_CALL: Final = (
    "SELECT positions, stale, known FROM log_append("
    + ", ".join(f"${number}" for number in range(1, _ARGUMENTS + 1))
    + ")"
).encode()
_BINARY: Final = [pq.Format.BINARY] * _ARGUMENTS

# Every statement of the log is an index probe, so its plan never depends on the values; a lock or
# a statement that takes this long is given up by the server, which then certainly wrote nothing.
_SETTINGS: Final = """
    SELECT set_config('TimeZone', 'UTC', false),
           set_config('plan_cache_mode', 'force_generic_plan', false),
           set_config('lock_timeout', '10s', false),
           set_config('statement_timeout', '60s', false)
"""


class Lost(Exception):
    """The connection went away under a statement: its fate is not known."""


class Session:
    """One pinned connection to the log, in autocommit."""

    def __init__(self, dsn: str) -> None:
        try:
            self.connection = psycopg.connect(
                dsn, autocommit=True, connect_timeout=5, fallback_application_name="folio-log"
            )
            self.connection.execute(_SETTINGS)
        except psycopg.OperationalError as error:
            raise Unavailable("the event log") from error
        # An event's state stays bytes until its own decoder reads it.
        self.connection.adapters.register_loader("json", ByteaBinaryLoader)
        self._pg = self.connection.pgconn
        self._pg.nonblocking = 0
        self._prepared = False

    @property
    def alive(self) -> bool:
        return bool(self._pg.status == pq.ConnStatus.OK)

    @property
    def at_rest(self) -> bool:
        """Whether the next statement may start: alive, and nothing half read or half written."""
        return bool(self._pg.transaction_status == pq.TransactionStatus.IDLE)

    def close(self) -> None:
        self.connection.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Everything in the block, or nothing of it."""
        try:
            with self.connection.transaction():
                yield
        except BaseException:
            # The driver forgets all prepared statements with a rollback, ours among them.
            if self.at_rest:
                self.connection.execute("DEALLOCATE ALL")
            self._prepared = False
            raise

    def append(self, parameters: Sequence[bytes]) -> tuple[list[int], list[int], list[int]]:
        """Call log_append: where each head ended, which appends are stale, which are known.

        Raises Lost when the answer did not come, and the server's error when it refused.
        """
        # Straight to libpq: the driver's cursor would cost as much again as the server's work.
        if not self._prepared:
            self._checked(self._pg.prepare(_APPEND, _CALL))
            self._prepared = True
        result = self._checked(
            self._pg.exec_prepared(_APPEND, parameters, _BINARY, pq.Format.BINARY)
        )
        positions, stale, known = (read_numbers(result.get_value(0, n)) for n in range(3))
        return positions, stale, known

    def _checked(self, result: pq.abc.PGresult) -> pq.abc.PGresult:
        if result.status in {pq.ExecStatus.TUPLES_OK, pq.ExecStatus.COMMAND_OK}:
            return result
        if not self.alive:
            raise Lost(result.error_message.decode(errors="replace"))
        raise error_from_result(result)


class Sessions:
    """A stock of sessions, the last used first; at most `most` are out at once."""

    def __init__(self, dsn: str, *, most: int) -> None:
        self._dsn = dsn
        self._idle: list[Session] = []
        self._out = threading.BoundedSemaphore(most)
        self._closed = False

    @contextmanager
    def use(self) -> Iterator[Session]:
        """A session for as long as the block runs; a broken one does not come back."""
        with self._out:
            try:
                session = self._idle.pop()
            except IndexError:
                session = Session(self._dsn)
            try:
                yield session
            finally:
                if session.at_rest and not self._closed:
                    self._idle.append(session)
                else:
                    session.close()

    def drop_idle(self) -> None:
        """Close what is idle: after one connection is lost, the others seldom live."""
        while self._idle:
            self._idle.pop().close()

    def close(self) -> None:
        """Keep no session any more; one that is out closes when it comes back."""
        self._closed = True
        self.drop_idle()
