"""The event log in PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TypeVar
from uuid import UUID

import psycopg
from psycopg import Connection
from psycopg.rows import TupleRow

from ledger.clock import Clock
from ledger.errors import Unavailable
from ledger.events.base import RecordedEvent
from ledger.store import reading
from ledger.store.event_log import Append, Post, Receipt
from ledger.store.grouping import Grouping
from ledger.store.packing import Packed, pack
from ledger.store.session import Sessions
from ledger.store.streams import StreamReader
from ledger.store.writing import Hint, Writer

Answer = TypeVar("Answer")


def _nobody_listens(_buckets: Sequence[int]) -> None:
    return None


class PostgresLog:
    """The event log over one database.

    `readers` is how many questions may be asked at once. `on_commit` hears
    the buckets of each commit after it is durable; it must neither raise nor take long. For as
    long as `patience` a write whose answer was lost is followed up before it is called unknown.
    """

    def __init__(
        self,
        dsn: str,
        clock: Clock,
        *,
        post: Post,
        on_commit: Hint = _nobody_listens,
        readers: int = 16,
        patience: timedelta = timedelta(seconds=2),
    ) -> None:
        self._post = post
        self._writers = Sessions(dsn, most=1)
        self._readers = Sessions(dsn, most=readers)
        self._streams = StreamReader(self._readers)
        writer = Writer(self._writers, clock, on_commit, patience)
        self._grouping: Grouping[Packed, Receipt] = Grouping(writer.write, most=4096)

    def close(self) -> None:
        """Keep no connection any more."""
        self._writers.close()
        self._readers.close()

    def append(self, append: Append) -> Receipt:
        """Write events, their journal entries and the key's receipt, all or nothing.

        Raises VersionConflict, KeyReused, Unavailable (nothing was written) or OutcomeUnknown.
        """
        return self._grouping.submit(pack(append, self._post))

    async def append_async(self, append: Append) -> Receipt:
        """The same for a task of an event loop."""
        return await self._grouping.submit_async(pack(append, self._post))

    def stream(
        self,
        stream: UUID,
        *,
        after: int = 0,
        until: int | None = None,
        known_at: datetime | None = None,
    ) -> list[RecordedEvent]:
        """A stream's events beyond version `after`, up to `until`, recorded by `known_at`."""
        if not after and until is None and known_at is None:
            return self.streams([stream])[stream]
        rows = self._ask(lambda asked: reading.select_stream(asked, stream, after, until, known_at))
        return [reading.recorded(row) for row in rows]

    def streams(self, streams: Sequence[UUID]) -> dict[UUID, list[RecordedEvent]]:
        """Several streams whole, of any buckets, in one question; an unknown one is empty."""
        return self._streams.read(streams)

    def receipt(self, project: UUID, key: str) -> tuple[Receipt, bytes] | None:
        """The receipt kept under a key, and the hash of the input it answered."""
        return self._ask(lambda asked: reading.select_receipt(asked, project, key))

    def heads(self, buckets: Sequence[int] | None = None) -> dict[int, int]:
        """The last position of these buckets, or of all that hold any event."""
        return self._ask(lambda asked: reading.select_heads(asked, buckets))

    def read(self, after: Mapping[int, int], limit: int) -> list[RecordedEvent]:
        """At most `limit` events of these buckets beyond these positions, by bucket, position."""
        rows = self._ask(lambda asked: reading.select_after(asked, after, limit))
        return [reading.recorded(row) for row in rows]

    def _ask(self, question: Callable[[Connection[TupleRow]], Answer]) -> Answer:
        """Answer a question; one that met a dead connection is asked once more on a new one."""
        for last_try in (False, True):
            try:
                with self._readers.use() as session:
                    return question(session.connection)
            except psycopg.OperationalError as error:
                if last_try:
                    raise Unavailable("the event log") from error
                self._readers.drop_idle()
        raise AssertionError("the second try answers or raises")
