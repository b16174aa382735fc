"""Columns of many rows as binary arrays, one parameter each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final
from uuid import UUID

from psycopg import adapters, pq
from psycopg.abc import Buffer
from psycopg.adapt import Dumper

from ledger.store import arrays


class Packed(bytes):
    """An array as PostgreSQL's wire has it; its type follows from the cast beside it."""


class _PackedDumper(Dumper):
    format = pq.Format.BINARY

    def dump(self, obj: Packed) -> Buffer | None:
        return obj


adapters.register_dumper(Packed, _PackedDumper)

_Element = Callable[[Any], bytes]

_TRUE: Final = b"\x00\x00\x00\x01\x01"
_FALSE: Final = b"\x00\x00\x00\x01\x00"
_BOOLEAN: Final = 16


def _integer(value: int) -> bytes:
    return b"\x00\x00\x00\x08" + value.to_bytes(8, signed=True)


def _uuid(value: UUID) -> bytes:
    return b"\x00\x00\x00\x10" + value.int.to_bytes(16)


def _boolean(value: bool) -> bytes:
    return _TRUE if value else _FALSE


_ELEMENTS: Final[dict[str, tuple[int, _Element]]] = {
    "boolean": (_BOOLEAN, _boolean),
    "integer": (arrays.INT4, arrays.int4),
    "bigint": (arrays.INT8, _integer),
    "smallint": (arrays.INT2, arrays.int2),
    "jsonb": (arrays.JSONB, arrays.jsonb),
    "text": (arrays.TEXT, arrays.text),
    "timestamptz": (arrays.TIMESTAMPTZ, arrays.timestamp),
    "uuid": (arrays.UUID_, _uuid),
}
_NUMBERS: Final = {"smallint": arrays.INT2, "integer": arrays.INT4, "bigint": arrays.INT8}


def pack(sql_type: str, values: Sequence[Any]) -> Packed:
    """One column's values, in order; documents are given as UTF-8."""
    holes = None in values
    number = _NUMBERS.get(sql_type)
    if number is not None and not holes:
        return Packed(arrays.numbers(number, values))
    oid, element = _ELEMENTS[sql_type]
    if not holes:
        return Packed(arrays.array(oid, len(values), map(element, values)))
    elements = [arrays.NULL if value is None else element(value) for value in values]
    return Packed(arrays.array(oid, len(values), elements))
