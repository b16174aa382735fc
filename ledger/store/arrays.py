"""PostgreSQL arrays in binary: one column of many rows as one parameter.

Building them here costs a tenth of the driver's general adaptation. The layout is that of
`array_recv` in PostgreSQL's source: a header, then length and value of each element.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

INT2: Final = 21
INT4: Final = 23
INT8: Final = 20
TEXT: Final = 25
BYTEA: Final = 17
UUID_: Final = 2950
JSON: Final = 114
JSONB: Final = 3802
TIMESTAMPTZ: Final = 1184

NULL: Final = b"\xff\xff\xff\xff"
_EPOCH: Final = datetime(2000, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_SECONDS_A_DAY: Final = 86_400
_HEADER: Final = struct.Struct(">iiiii")
_FIXED: Final = {INT2: ("ih", 2), INT4: ("ii", 4), INT8: ("iq", 8)}


def array(element: int, count: int, elements: Iterable[bytes]) -> bytes:
    """An array of `count` elements of this type, each already led by its length."""
    if count == 0:
        return struct.pack(">iii", 0, 0, element)
    return _HEADER.pack(1, 1, element, count, 1) + b"".join(elements)


def numbers(element: int, values: Sequence[int]) -> bytes:
    """An array of INT2, INT4 or INT8."""
    count = len(values)
    if count == 0:
        return struct.pack(">iii", 0, 0, element)
    pair, size = _FIXED[element]
    flat = [size] * (2 * count)
    flat[1::2] = values
    return struct.pack(">iiiii" + pair * count, 1, 0, element, count, 1, *flat)


def text(value: str) -> bytes:
    raw = value.encode()
    return len(raw).to_bytes(4) + raw


def text_or_null(value: str | None) -> bytes:
    return NULL if value is None else text(value)


def raw(value: bytes) -> bytes:
    """A bytea, or a text or json that is UTF-8 already."""
    return len(value).to_bytes(4) + value


def jsonb(value: bytes) -> bytes:
    return (len(value) + 1).to_bytes(4) + b"\x01" + value


def uuid(value: UUID) -> bytes:
    return b"\x00\x00\x00\x10" + value.bytes


def int2(value: int) -> bytes:
    return b"\x00\x00\x00\x02" + value.to_bytes(2)


def int4(value: int) -> bytes:
    return b"\x00\x00\x00\x04" + value.to_bytes(4)


def microseconds(instant: datetime) -> int:
    """An instant as PostgreSQL counts it: microseconds since the year 2000."""
    since = instant - _EPOCH
    return (since.days * _SECONDS_A_DAY + since.seconds) * 1_000_000 + since.microseconds


def timestamp(instant: datetime) -> bytes:
    return b"\x00\x00\x00\x08" + microseconds(instant).to_bytes(8, signed=True)


def read_numbers(value: bytes | None) -> list[int]:
    """The values of a binary array of integers; of NULL, none."""
    if value is None:
        return []
    dimensions, _, element = struct.unpack_from(">iii", value)
    if dimensions == 0:
        return []
    (count,) = struct.unpack_from(">i", value, 12)
    pair, _ = _FIXED[element]
    return list(struct.unpack_from(">" + pair * count, value, 20)[1::2])
