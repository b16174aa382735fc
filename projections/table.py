"""A read table: its columns, and rows read and written by the batch.

Rows travel as whole columns in binary arrays: one statement reads a batch's rows, one writes them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from operator import attrgetter
from types import MappingProxyType
from typing import Any, Final, Generic, LiteralString, TypeVar, cast

import msgspec
from psycopg import Connection
from psycopg.rows import TupleRow

from projections.columns import Packed, pack

SCHEMA: Final = "read_model"
_NONE: Final[Mapping[str, Any]] = MappingProxyType({})

Key = tuple[Any, ...]
Row = TypeVar("Row", bound="ReadRow")
Database = Connection[TupleRow]


@dataclass(frozen=True, slots=True)
class Build:
    """One set of a projection's tables; `label` ends their names, as in `customer_v1`."""

    projection: str
    label: str

    @property
    def checkpoint(self) -> str:
        """The name under which this build keeps its positions."""
        return f"{self.projection}_{self.label}"

    def table(self, name: str) -> str:
        """The full name of one of its tables."""
        return f"{SCHEMA}.{name}_{self.label}"


class ReadRow(msgspec.Struct, frozen=True, gc=False):
    """A row of a read model: a frozen record that is cheap to make by the thousand."""


class Table(Generic[Row]):
    """A table of rows of one class, whose fields are the columns in order.

    `columns` are as SQL declares them. `documents` names the jsonb columns, with the type their
    JSON is read as, `kinds` the text columns that are read as a class of words. Every key begins
    with the bucket, so that rows live on their bucket's shard.
    """

    def __init__(
        self,
        name: str,
        row: type[Row],
        columns: Mapping[str, str],
        *,
        key: tuple[str, ...],
        indexes: tuple[str, ...] = (),
        documents: Mapping[str, Any] = _NONE,
        kinds: Mapping[str, type[StrEnum]] = _NONE,
    ) -> None:
        if row.__struct_fields__ != tuple(columns) or key[0] != "bucket":
            raise TypeError(f"table {name} and {row.__name__} do not match")
        self.name = name
        self.key_of: Callable[[Row], Key] = attrgetter(*key)
        self._row = cast(Callable[..., Row], row)
        self._columns = columns
        self._types = {column: declared.split()[0] for column, declared in columns.items()}
        self._key = key
        self._indexes = indexes
        self._values_of: Callable[[Row], Sequence[Any]] = attrgetter(*columns)
        places = {column: place for place, column in enumerate(columns)}
        self._documents = [places[column] for column in documents]
        decoders = {column: msgspec.json.Decoder(of).decode for column, of in documents.items()}
        self._readers: list[tuple[int, Callable[[Any], Any]]] = [
            *((places[column], decode) for column, decode in decoders.items()),
            *((places[column], kind) for column, kind in kinds.items()),
        ]
        self._selected = ", ".join(
            f"{name}.{column}::text" if column in documents else f"{name}.{column}"
            for column in columns
        )

    @property
    def view(self) -> str:
        """The name queries read: the live build's table."""
        return f"{SCHEMA}.{self.name}"

    def create(self, build: Build) -> str:
        """The statement that makes this table for a build."""
        lines = [f"{name} {declared}" for name, declared in self._columns.items()]
        lines.append(f"PRIMARY KEY ({', '.join(self._key)})")
        body = ",\n    ".join(lines)
        return f"CREATE TABLE {build.table(self.name)} (\n    {body}\n) WITH (fillfactor=85)"

    def create_indexes(self, build: Build) -> list[str]:
        """The statements that make its other indexes."""
        table = build.table(self.name)
        return [f"CREATE INDEX ON {table} {index}" for index in self._indexes]

    def select(
        self, connection: Database, rest: LiteralString, parameters: Sequence[object]
    ) -> list[Row]:
        """The live rows that the rest of a SELECT statement asks for."""
        statement = f"SELECT {self._selected} FROM {self.view} AS {self.name} {rest}"
        with connection.cursor(binary=True) as cursor:
            return self._rows(cursor.execute(statement, parameters))

    def load(
        self,
        connection: Database,
        build: Build,
        keys: Collection[Key],
        where: LiteralString = "true",
    ) -> dict[Key, Row]:
        """The rows of a build whose keys are these, or begin so, and that meet a condition."""
        if not keys:
            return {}
        names = self._key[: len(next(iter(keys)))]
        statement = (
            f"SELECT {self._selected} FROM {build.table(self.name)} AS {self.name} "
            f"JOIN {self._unnest(names)} AS wanted ({', '.join(names)}) USING ({', '.join(names)}) "
            f"WHERE {where}"
        )
        with connection.cursor(binary=True) as cursor:
            rows = self._rows(cursor.execute(statement, self._packed(names, keys)))
        return {self.key_of(row): row for row in rows}

    def save(self, connection: Database, build: Build, rows: Collection[Row]) -> None:
        """Insert rows, or put them in the place of those with the same key."""
        if not rows:
            return
        rest = [f"{name} = excluded.{name}" for name in self._columns if name not in self._key]
        statement = (
            f"INSERT INTO {build.table(self.name)} ({', '.join(self._columns)}) "
            f"SELECT * FROM {self._unnest(self._columns)} "
            f"ON CONFLICT ({', '.join(self._key)}) DO UPDATE SET {', '.join(rest)}"
        )
        values = map(self._written, rows) if self._documents else map(self._values_of, rows)
        connection.execute(statement, self._packed(self._columns, values))

    def delete(self, connection: Database, build: Build, keys: Collection[Key]) -> None:
        """Remove the rows that have these keys."""
        if not keys:
            return
        same = " AND ".join(f"held.{name} = gone.{name}" for name in self._key)
        statement = (
            f"DELETE FROM {build.table(self.name)} AS held "
            f"USING {self._unnest(self._key)} AS gone ({', '.join(self._key)}) WHERE {same}"
        )
        connection.execute(statement, self._packed(self._key, keys))

    def _rows(self, found: Iterable[TupleRow]) -> list[Row]:
        if not self._readers:
            return [self._row(*values) for values in found]
        return [self._row(*self._read(values)) for values in found]

    def _read(self, values: TupleRow) -> list[Any]:
        read = list(values)
        for place, reader in self._readers:
            read[place] = reader(read[place])
        return read

    def _written(self, row: Row) -> list[Any]:
        values = list(self._values_of(row))
        for place in self._documents:
            values[place] = _encode(values[place])
        return values

    def _packed(self, names: Iterable[str], rows: Iterable[Sequence[Any]]) -> list[Packed]:
        columns = zip(*rows, strict=True)
        return [
            pack(self._types[name], values) for name, values in zip(names, columns, strict=True)
        ]

    def _unnest(self, names: Iterable[str]) -> str:
        return f"unnest({', '.join(f'%b::{self._types[name]}[]' for name in names)})"


_encode: Final = msgspec.json.Encoder(order="deterministic").encode
