"""Where a list was left: the place of its last item, opaque to the caller.

A place holds times only with their zone, and what it leads to is always asked within the caller's
project: a forged cursor shows nothing that an honest one would not.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import TypeVar

import msgspec

from api.schemas.base import Page
from ledger.errors import InvalidInput

Row = TypeVar("Row")
Item = TypeVar("Item")
Place = TypeVar("Place")


def write_cursor(place: object) -> str:
    """The cursor that leads to what comes after this place."""
    return base64.urlsafe_b64encode(msgspec.json.encode(place)).decode().rstrip("=")


def read_cursor(cursor: str | None, place: type[Place]) -> Place | None:
    """The place a cursor stands for; InvalidInput when it is none of this list's."""
    if cursor is None:
        return None
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        return msgspec.json.decode(base64.b64decode(padded, b"-_", validate=True), type=place)
    except (UnicodeEncodeError, binascii.Error, msgspec.MsgspecError, ValueError):
        raise InvalidInput("cursor", "is none that was given out for this list") from None


def page_of(
    rows: Sequence[Row], limit: int, place: Callable[[Row], object], item: Callable[[Row], Item]
) -> Page[Item]:
    """A page from `limit + 1` rows: the one too many only says that there are more."""
    shown = rows[:limit]
    more = len(rows) > limit
    return Page(
        data=[item(row) for row in shown],
        has_more=more,
        next_cursor=write_cursor(place(shown[-1])) if more else None,
    )
