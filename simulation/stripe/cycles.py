"""Billing cycles: instants at anchor + k intervals, kept to the anchor's day of the month.

Every boundary is counted from the anchor. Counting from the boundary before would lose the 31st
for ever after the first February.
"""

from __future__ import annotations

import calendar
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from ledger.clock import from_unix

DAY: Final = 86_400
HOUR: Final = 3_600
_MONTHS: Final = {"month": 1, "year": 12}
_SECONDS: Final = {"day": DAY, "week": 7 * DAY}


@dataclass(frozen=True)
class Cycle:
    """The rhythm of a price, hung on an anchor (unix seconds, UTC)."""

    anchor: int
    interval: str
    count: int
    day_of_month: int | None = None

    def boundary(self, k: int) -> int:
        """The k-th instant at which a period ends and the next begins; the anchor is number 0."""
        if self.interval in _SECONDS:
            return self.anchor + k * self.count * _SECONDS[self.interval]
        anchor = from_unix(self.anchor)
        months = anchor.year * 12 + anchor.month - 1 + k * self.count * _MONTHS[self.interval]
        year, month = divmod(months, 12)
        return int(_on_day(anchor, year, month + 1, self.day_of_month or anchor.day).timestamp())

    def period_at(self, instant: int) -> tuple[int, int]:
        """The half-open period [start, end) that holds an instant."""
        k = self._guess(instant)
        while self.boundary(k) > instant:
            k -= 1
        while self.boundary(k + 1) <= instant:
            k += 1
        return self.boundary(k), self.boundary(k + 1)

    def _guess(self, instant: int) -> int:
        if self.interval in _SECONDS:
            return (instant - self.anchor) // (self.count * _SECONDS[self.interval])
        here, anchor = from_unix(instant), from_unix(self.anchor)
        months = (here.year - anchor.year) * 12 + here.month - anchor.month
        return months // (self.count * _MONTHS[self.interval])


def next_day_of_month(after: int, config: dict[str, int | None]) -> int:
    """The first instant after another that a `billing_cycle_anchor_config` describes."""
    here = from_unix(after)
    clock = here.replace(
        hour=_or(config.get("hour"), here.hour),
        minute=_or(config.get("minute"), here.minute),
        second=_or(config.get("second"), here.second),
    )
    for step in range(25):
        year, month = divmod(here.year * 12 + here.month - 1 + step, 12)
        if config.get("month") not in (None, month + 1):
            continue
        day = config["day_of_month"]
        candidate = int(_on_day(clock, year, month + 1, day or clock.day).timestamp())
        if candidate > after:
            return candidate
    raise ValueError("a year has every month")


def _on_day(moment: datetime, year: int, month: int, day: int) -> datetime:
    last = calendar.monthrange(year, month)[1]
    return moment.replace(year=year, month=month, day=min(day, last))


def _or(value: int | None, default: int) -> int:
    return default if value is None else value
