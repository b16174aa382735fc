"""What a projection is: a name, a version, its tables, and how a batch of events changes them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, LiteralString

from ledger.events.base import Event, RecordedEvent
from projections.table import Build, Database, Key, Row, Table

Batch = Sequence[RecordedEvent]
Step = Callable[[Row | None, RecordedEvent], Row | None]
"""What one event makes of a row; the same row means nothing, None means that it is gone."""


@dataclass(frozen=True)
class Tables:
    """The tables of one build inside one open transaction: all that `apply` may touch."""

    connection: Database
    build: Build

    def load(
        self, table: Table[Row], keys: set[Key], where: LiteralString = "true"
    ) -> dict[Key, Row]:
        """The rows whose keys are these, or begin so, and that meet a condition."""
        return table.load(self.connection, self.build, keys, where)

    def save(self, table: Table[Row], rows: Sequence[Row]) -> None:
        """Insert rows or replace those with the same key."""
        table.save(self.connection, self.build, rows)

    def delete(self, table: Table[Row], keys: set[Key]) -> None:
        """Remove rows."""
        table.delete(self.connection, self.build, keys)


@dataclass(frozen=True, kw_only=True)
class Projection:
    """A read model: disposable tables that are a function of the log and of nothing else.

    `apply` sees the events it listens to in bucket order, in batches of any size: what it leaves
    behind must not depend on where a batch ends. A change of tables or of `apply` is a new version.
    """

    name: str
    version: int
    tables: tuple[Table[Any], ...]
    listens: frozenset[type[Event]]
    apply: Callable[[Tables, Batch], None]

    @property
    def first_build(self) -> Build:
        """The build that an empty database begins with."""
        return Build(self.name, f"v{self.version}")


def by_stream(recorded: RecordedEvent) -> Key:
    """The key of a row that is one stream's."""
    return (recorded.bucket, recorded.stream)


def fold(
    tables: Tables,
    table: Table[Row],
    batch: Batch,
    step: Step[Row],
    key: Callable[[RecordedEvent], Key] = by_stream,
) -> None:
    """Take a batch into a table of which each event concerns one row."""
    keyed = [(key(recorded), recorded) for recorded in batch]
    known = {place for place, _ in keyed}
    if key is by_stream:  # a stream's first event finds no row: none is asked for
        known.difference_update(place for place, recorded in keyed if recorded.version == 1)
    rows: dict[Key, Row | None] = {}
    rows.update(tables.load(table, known))
    touched: set[Key] = set()
    for place, recorded in keyed:
        before = rows.get(place)
        after = step(before, recorded)
        if after is not before:
            rows[place] = after
            touched.add(place)
    tables.delete(table, {place for place in touched if rows[place] is None})
    kept = [row for place in touched if (row := rows[place]) is not None]
    tables.save(table, kept)
