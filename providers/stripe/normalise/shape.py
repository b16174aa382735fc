"""A JSON object of Stripe's, read field by field: a wrong kind of value is refused by its path."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from ledger.clock import from_unix
from ledger.errors import InvalidInput
from ledger.facts import ProviderAccount
from ledger.money import Money, check_currency
from ledger.period import Period
from providers.port import UnknownShape

_LAST_SECOND: Final = 7_258_118_400  # the year 2200: dates computed from it must exist too
_LONGEST: Final = 5000


@dataclass(frozen=True, slots=True)
class Observation:
    """Who saw an object, when by the provider's clock, in which message, and on what occasion.

    The occasion is the last word of a message's type, or `fetched`.
    """

    account: ProviderAccount
    at: datetime
    source: str
    occasion: str


class Shape:
    """One JSON object and the path that leads to it; null and absent are the same."""

    __slots__ = ("_fields", "_path")

    def __init__(self, fields: Mapping[str, object], path: str = "") -> None:
        self._fields = fields
        self._path = path

    def refusal(self, field: str, reason: str) -> UnknownShape:
        """The refusal of one field, to be raised by whoever finds that it does not read."""
        return UnknownShape(self._path + field, reason)

    def has(self, field: str) -> bool:
        return self._fields.get(field) is not None

    def maybe_text(self, field: str) -> str | None:
        value = self._fields.get(field)
        if value is None:
            return None
        if not isinstance(value, str) or len(value) > _LONGEST:
            raise self.refusal(field, f"is not a text of up to {_LONGEST} characters")
        return value or None

    def text(self, field: str) -> str:
        return self._needed(field, self.maybe_text(field))

    def maybe_whole(self, field: str) -> int | None:
        value = self._fields.get(field)
        if value is None:
            return None
        if not isinstance(value, int) or isinstance(value, bool):
            raise self.refusal(field, "is not a whole number")
        return value

    def whole(self, field: str) -> int:
        value = self.maybe_whole(field)
        if value is None:
            raise self.refusal(field, "is missing")
        return value

    def flag(self, field: str, default: bool = False) -> bool:
        value = self._fields.get(field)
        if value is None:
            return default
        if not isinstance(value, bool):
            raise self.refusal(field, "is not true or false")
        return value

    def maybe_moment(self, field: str) -> datetime | None:
        seconds = self.maybe_whole(field)
        if seconds is None:
            return None
        if not 0 <= seconds <= _LAST_SECOND:
            raise self.refusal(field, "is not a time in seconds")
        return from_unix(seconds)

    def moment(self, field: str) -> datetime:
        moment = self.maybe_moment(field)
        if moment is None:
            raise self.refusal(field, "is missing")
        return moment

    def maybe_reference(self, field: str) -> str | None:
        """The id of another object, whether it stands there as an id or as the object itself."""
        if isinstance(self._fields.get(field), dict):
            return self.child(field).text("id")
        return self.maybe_text(field)

    def reference(self, field: str) -> str:
        return self._needed(field, self.maybe_reference(field))

    def maybe_child(self, field: str) -> Shape | None:
        value = self._fields.get(field)
        if value is None:
            return None
        if not isinstance(value, dict):
            raise self.refusal(field, "is not an object")
        return Shape(value, f"{self._path}{field}.")

    def child(self, field: str) -> Shape:
        child = self.maybe_child(field)
        if child is None:
            raise self.refusal(field, "is missing")
        return child

    def is_expanded(self, field: str) -> bool:
        return isinstance(self._fields.get(field), dict)

    def children(self, field: str) -> Iterator[Shape]:
        """The objects of a bare list, in order; nothing when it is absent."""
        values = self._fields.get(field)
        if values is None:
            return
        if not isinstance(values, list):
            raise self.refusal(field, "is not a list")
        for index, value in enumerate(values):
            if not isinstance(value, dict):
                raise self.refusal(f"{field}[{index}]", "is not an object")
            yield Shape(value, f"{self._path}{field}[{index}].")

    def currency(self) -> str:
        """The object's own currency, in lower case."""
        return check_currency(self.text("currency"))

    def money(self, field: str, currency: str) -> Money:
        return Money(self.whole(field), currency)

    def period(self, start_field: str, end_field: str) -> Period | None:
        """The span between two fields; an instant or nothing at all is no period."""
        start, end = self.maybe_moment(start_field), self.maybe_moment(end_field)
        if start is None or end is None or start == end:
            return None
        try:
            return Period(start, end)
        except InvalidInput as refused:
            raise self.refusal(end_field, refused.reason) from refused

    def metadata(self, *keys: str) -> str | None:
        """The first of these metadata values that is set; what we and the apps tie objects with."""
        pairs = self.maybe_child("metadata")
        found = (pairs.maybe_text(key) for key in keys) if pairs else ()
        return next((value for value in found if value), None)

    def metadata_with_prefix(self, prefix: str) -> tuple[tuple[str, str], ...]:
        """Metadata values by what follows the prefix in their key, in the order of the keys."""
        pairs = self.maybe_child("metadata")
        if pairs is None:
            return ()
        named = sorted(key for key in pairs._fields if key.startswith(prefix))
        return tuple((key.removeprefix(prefix), pairs.text(key)) for key in named)

    def _needed(self, field: str, value: str | None) -> str:
        if value is None:
            raise self.refusal(field, "is missing")
        return value
