"""A connection pinned to the log, with its statements prepared, and a small stock of them."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import psycopg
from psycopg import pq
from psycopg.errors import error_from_result
from psycopg.rows import TupleRow
from psycopg.types.string import ByteaBinaryLoader

from ledger.errors import Unavailable
from ledger.store.arrays import read_numbers


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement to be prepared under a name, with so many binary parameters."""

    name: bytes
    text: bytes
    parameters: int


_ARGUMENTS: Final = 29
_APPEND: Final = Statement(
    b"log_append",
    "SELECT positions, stale, known FROM log_append({})".format(
        ", ".join(f"${number}" for number in range(1, _ARGUMENTS + 1))
    ).encode(),
    _ARGUMENTS,
)

# Every statement of the log walks an index in its order: no plan depends on the values, and none
# made while the tables are small may stay behind as a scan. A lock or a statement that takes this
# long is given up by the server, which then certainly wrote nothing.
_SETTINGS: Final = """
    SELECT set_config('TimeZone', 'UTC', false),
           set_config('client_encoding', 'UTF8', false),
           set_config('jit', 'off', false),
           set_config('plan_cache_mode', 'force_generic_plan', false),
           set_config('enable_seqscan', 'off', false),
           set_config('enable_bitmapscan', 'off', false),
           set_config('lock_timeout', '2s', false),
           set_config('statement_timeout', '60s', false)
"""


class Lost(Exception):
    """The connection went away under a statement: its fate is not known."""


class Session:
    """One pinned connection to the log, in autocommit."""

    def __init__(self, dsn: str) -> None:
        self.connection = _connected(dsn)
        # An event's state stays bytes until its own decoder reads it.
        self.connection.adapters.register_loader("json", ByteaBinaryLoader)
        self._pg = self.connection.pgconn
        self._pg.nonblocking = 0
        self._prepared: set[bytes] = set()

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
            self._prepared.clear()
            raise

    def append(self, parameters: Sequence[bytes]) -> tuple[list[int], list[int], list[int]]:
        """Call log_append: where each head ended, which appends are stale, which are known.

        Raises Lost when the answer did not come, and the server's error when it refused.
        """
        result = self.call(_APPEND, parameters)
        positions, stale, known = (read_numbers(result.get_value(0, n)) for n in range(3))
        return positions, stale, known

    def call(self, statement: Statement, parameters: Sequence[bytes]) -> pq.abc.PGresult:
        """Run a statement on binary parameters; raises as append does.

        Straight to libpq: the driver's cursor costs as much again as the server's work, and takes
        the interpreter from other threads for every piece of a long answer.
        """
        if statement.name not in self._prepared:
            self._checked(self._pg.prepare(statement.name, statement.text))
            self._prepared.add(statement.name)
        binary = [pq.Format.BINARY] * statement.parameters
        return self._checked(
            self._pg.exec_prepared(statement.name, parameters, binary, pq.Format.BINARY)
        )

    def _checked(self, result: pq.abc.PGresult) -> pq.abc.PGresult:
        if result.status in {pq.ExecStatus.TUPLES_OK, pq.ExecStatus.COMMAND_OK}:
            return result
        if not self.alive:
            raise Lost(result.error_message.decode(errors="replace"))
        raise error_from_result(result)


def _connected(dsn: str) -> psycopg.Connection[TupleRow]:
    connection: psycopg.Connection[TupleRow] | None = None
    try:
        connection = psycopg.connect(
            dsn, autocommit=True, connect_timeout=5, fallback_application_name="folio-log"
        )
        connection.execute(_SETTINGS)
    except psycopg.OperationalError as error:
        if connection is not None:
            connection.close()
        raise Unavailable("the event log") from error
    return connection


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
