"""Whole streams, those that several callers ask for at once in one question."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Final
from uuid import UUID

import psycopg
from psycopg import pq
from psycopg.adapt import Transformer
from psycopg.rows import TupleRow

from ledger.errors import Corrupt, Unavailable
from ledger.events.base import RecordedEvent
from ledger.ids import bucket_in
from ledger.store import arrays
from ledger.store.grouping import Grouping
from ledger.store.reading import COLUMNS, recorded
from ledger.store.session import Lost, Session, Sessions, Statement

_MOST: Final = 1024
_STREAMS: Final = Statement(
    b"log_streams",
    f"""
    SELECT {COLUMNS} FROM unnest($1::smallint[], $2::uuid[]) AS wanted (b, id)
        CROSS JOIN LATERAL (SELECT * FROM log_event AS e WHERE e.bucket = b AND e.stream = id
                            ORDER BY e.version) AS event
    """.encode(),
    2,
)

History = dict[UUID, list[RecordedEvent]]


@dataclass(frozen=True, slots=True)
class _Wanted:
    """The streams one caller asks for; reading claims nothing."""

    claims: ClassVar[frozenset[UUID]] = frozenset()
    streams: Sequence[UUID]

    @property
    def count(self) -> int:
        return len(self.streams)


class StreamReader:
    """Reads whole streams, one question at a time; who asks meanwhile shares the next."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions
        self._grouping: Grouping[_Wanted, History] = Grouping(self._answer, most=_MOST)

    def read(self, streams: Sequence[UUID]) -> History:
        """These streams by version, an unknown one empty; raises Corrupt and Unavailable."""
        return self._grouping.submit(_Wanted(streams))

    def _answer(self, wanted: Sequence[_Wanted]) -> list[History | Exception]:
        found: History = {stream: [] for one in wanted for stream in one.streams}
        try:
            self._ask(found)
        except Corrupt as corrupt:
            if len(wanted) == 1:
                return [corrupt]
            # An event that cannot be read is the business of those alone who asked for it.
            return [answer for one in wanted for answer in self._answer([one])]
        return [{stream: [*found[stream]] for stream in one.streams} for one in wanted]

    def _ask(self, found: History) -> None:
        """Fill in the events of these streams."""
        for row in self._rows(list(found)):
            event = recorded(row)
            found[event.stream].append(event)

    def _rows(self, streams: Sequence[UUID]) -> list[TupleRow]:
        """What the log holds; a question that met a dead connection is asked once more."""
        for last_try in (False, True):
            try:
                with self._sessions.use() as session:
                    return _select(session, streams)
            except (Lost, psycopg.OperationalError) as error:
                if last_try:
                    raise Unavailable("the event log") from error
                self._sessions.drop_idle()
        raise AssertionError("the second try answers or raises")


def _select(session: Session, streams: Sequence[UUID]) -> list[TupleRow]:
    buckets = arrays.numbers(arrays.INT2, [bucket_in(stream) for stream in streams])
    ids = arrays.array(arrays.UUID_, len(streams), map(arrays.uuid, streams))
    result = session.call(_STREAMS, [buckets, ids])
    rows = Transformer(session.connection)
    rows.set_pgresult(result, format=pq.Format.BINARY)
    return rows.load_rows(0, result.ntuples, tuple)
