"""Billing periods: half-open spans `[start, end)` that tile from an anchor, in UTC.

Period k starts at `anchor + k * interval`, clamped to the month's end, and is never computed from
the period before it: a chain loses the 31st for ever.
"""

from __future__ import annotations

import calendar
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from ledger.errors import InvalidInput

_MONTHS_A_YEAR = 12


class Unit(StrEnum):
    """The unit of a billing interval."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    YEAR = "year"


@dataclass(frozen=True, slots=True)
class Period:
    """A half-open span of time: the start belongs to it, the end to the next."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        if self.start >= self.end:
            raise InvalidInput("period", "must end after it starts")

    def __contains__(self, instant: datetime) -> bool:
        return self.start <= instant < self.end


@dataclass(frozen=True, slots=True)
class Interval:
    """How often a price recurs: every `count` units, such as 3 months or 1 year."""

    unit: Unit
    count: int = 1

    def __post_init__(self) -> None:
        if self.count < 1:
            raise InvalidInput("interval count", "must be at least 1")

    def after(self, anchor: datetime, times: int) -> datetime:
        """The instant `times` intervals from the anchor."""
        steps = self.count * times
        if self.unit is Unit.DAY:
            return anchor + timedelta(days=steps)
        if self.unit is Unit.WEEK:
            return anchor + timedelta(weeks=steps)
        return _add_months(anchor, steps * (_MONTHS_A_YEAR if self.unit is Unit.YEAR else 1))

    def period(self, anchor: datetime, index: int) -> Period:
        """Period number `index` from the anchor; the first is 0."""
        return Period(self.after(anchor, index), self.after(anchor, index + 1))

    def period_at(self, anchor: datetime, instant: datetime) -> Period:
        """The period an instant falls in."""
        index = self._guess(anchor, instant)
        while self.after(anchor, index) > instant:
            index -= 1
        while self.after(anchor, index + 1) <= instant:
            index += 1
        return self.period(anchor, index)

    def _guess(self, anchor: datetime, instant: datetime) -> int:
        if self.unit in (Unit.DAY, Unit.WEEK):
            return (instant - anchor) // (self.after(anchor, 1) - anchor)
        months = (instant.year - anchor.year) * _MONTHS_A_YEAR + instant.month - anchor.month
        return months // (self.count * (_MONTHS_A_YEAR if self.unit is Unit.YEAR else 1))


def _add_months(anchor: datetime, months: int) -> datetime:
    month_index = anchor.year * _MONTHS_A_YEAR + anchor.month - 1 + months
    year, month = divmod(month_index, _MONTHS_A_YEAR)
    last_day = calendar.monthrange(year, month + 1)[1]
    return anchor.astimezone(UTC).replace(year=year, month=month + 1, day=min(anchor.day, last_day))
