"""What a projection is: a name, a version, its tables, and how a batch of events changes them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
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
        self, table: Table[Row], keys: Collection[Key], where: LiteralString = "true"
    ) -> dict[Key, Row]:
        """The rows whose keys are these, or begin so, and that meet a condition."""
        return table.load(self.connection, self.build, keys, where)

    def save(self, table: Table[Row], rows: Sequence[Row]) -> None:
        """Insert rows or replace those with the same key."""
        table.save(self.connection, self.build, rows)

    def delete(self, table: Table[Row], keys: Collection[Key]) -> None:
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
    spots: dict[Key, int] = {}  # keys are hashed once, the rest goes by number
    places = [spots.setdefault(key(recorded), len(spots)) for recorded in batch]
    loaded = tables.load(table, _known(spots, places, batch, key))
    before = [loaded.get(place) for place in spots] if loaded else [None] * len(spots)
    after = [*before]
    for spot, recorded in zip(places, batch, strict=True):
        after[spot] = step(after[spot], recorded)
    ends = list(zip(spots, before, after, strict=True))
    tables.delete(table, [place for place, old, new in ends if new is None and old is not None])
    tables.save(table, [new for _, old, new in ends if new is not None and new is not old])


def _known(
    spots: Mapping[Key, int],
    places: Sequence[int],
    batch: Batch,
    key: Callable[[RecordedEvent], Key],
) -> Collection[Key]:
    """The keys that may have a row: a stream's first event never finds one."""
    if key is not by_stream:
        return spots
    fresh = {spot for spot, recorded in zip(places, batch, strict=True) if recorded.version == 1}
    return [place for place, spot in spots.items() if spot not in fresh]
