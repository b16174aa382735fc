"""JSON from outside, read strictly: what two readers could read in two ways is refused.

Stricter than the grammar: UTF-8 without a byte order mark, no duplicate keys, no NaN or infinity,
no NUL, no lone surrogates, at most 32 levels and 20 digits. A number with a fraction or an exponent
is a Decimal. Every check runs at C speed: 6 KB take about 20 µs.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from decimal import Decimal
from typing import Final

import msgspec

from ledger.errors import InvalidInput

MAX_BYTES: Final = 512 * 1024
MAX_DEPTH: Final = 32
MAX_DIGITS: Final = 20

# Reformatted with an indent of one, a value inside more than 32 containers starts its line with
# more than 32 blanks; a text cannot, because in JSON it holds no line break.
_TOO_DEEP: Final = b"\n" + b" " * (MAX_DEPTH + 1)
_DIGITS_AS_ZERO: Final = bytes.maketrans(b"0123456789", b"0" * 10)
_TOO_LONG: Final = b"0" * (MAX_DIGITS + 1)


class MalformedPayload(InvalidInput):
    """A body that is no JSON document we accept."""

    code = "malformed_payload"


def decode(payload: bytes) -> object:
    """The document as plain Python; raises MalformedPayload."""
    if len(payload) > MAX_BYTES:
        raise MalformedPayload("body", f"is larger than {MAX_BYTES} bytes")
    try:
        document: object = _decoder.decode(payload)
        compact = msgspec.json.encode(document)
        nested = msgspec.json.format(compact, indent=1)
    except RecursionError:
        raise MalformedPayload("body", f"is nested deeper than {MAX_DEPTH} levels") from None
    except ValueError:
        raise MalformedPayload("body", "is not JSON in UTF-8") from None
    if _TOO_DEEP in nested:
        raise MalformedPayload("body", f"is nested deeper than {MAX_DEPTH} levels")
    if _hides(payload) or _TOO_LONG in compact.translate(_DIGITS_AS_ZERO):
        _check_every_token(payload)
    # A repeated key drops a pair, and with it a colon: equal counts prove that none was dropped.
    elif payload.count(b":") != compact.count(b":"):
        raise MalformedPayload("body", "repeats a key")
    return document


def _hides(payload: bytes) -> bool:
    """Whether a colon or a NUL may be written as an escape."""
    return b"\\" in payload and (b"\\u003" in payload or b"\\u0000" in payload)


def _fraction(text: str) -> Decimal:
    if sum(map(str.isdigit, text)) > MAX_DIGITS or not math.isfinite(float(text)):
        raise MalformedPayload("body", "has a number out of range")
    return Decimal(text)


def _integer(text: str) -> int:
    if len(text.lstrip("-")) > MAX_DIGITS:
        raise MalformedPayload("body", f"has a number of more than {MAX_DIGITS} digits")
    return int(text)


def _check_every_token(payload: bytes) -> None:
    """The same rules by a slower reader, for the rare bodies that a count cannot judge."""
    _check_text(
        json.loads(payload, object_pairs_hook=_unique, parse_int=_integer, parse_float=_fraction)
    )


def _unique(pairs: list[tuple[str, object]]) -> Mapping[str, object]:
    unique = dict(pairs)
    if len(unique) != len(pairs):
        raise MalformedPayload("body", "repeats a key")
    return unique


def _check_text(value: object) -> None:
    if isinstance(value, dict):
        for key, inner in value.items():
            _check_text(key)
            _check_text(inner)
    elif isinstance(value, list):
        for inner in value:
            _check_text(inner)
    elif isinstance(value, str) and "\0" in value:
        raise MalformedPayload("body", "has a NUL character")


_decoder: Final = msgspec.json.Decoder(float_hook=_fraction)
