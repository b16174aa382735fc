"""Periods tile from their anchor, for any anchor, unit and count."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.errors import InvalidInput
from ledger.period import Interval, Period, Unit

MONTHLY, QUARTERLY, HALF_YEARLY = (Interval(Unit.MONTH, count) for count in (1, 3, 6))
YEARLY = Interval(Unit.YEAR)
intervals = st.builds(Interval, st.sampled_from(Unit), st.integers(1, 18))
EARLIEST, LATEST = datetime(1999, 1, 1), datetime(2101, 12, 31)  # noqa: DTZ001 (zone is drawn)
anchors = st.datetimes(EARLIEST, LATEST, timezones=st.just(UTC))


def starts(interval: Interval, anchor: str, count: int) -> list[str]:
    first = datetime.fromisoformat(anchor).replace(tzinfo=UTC)
    return [interval.after(first, index).date().isoformat() for index in range(1, count + 1)]


@pytest.mark.parametrize(
    ("interval", "anchor", "expected"),
    [
        (MONTHLY, "2025-01-31", ["2025-02-28", "2025-03-31", "2025-04-30", "2025-05-31"]),
        (MONTHLY, "2024-01-31", ["2024-02-29", "2024-03-31"]),
        (MONTHLY, "2025-01-30", ["2025-02-28", "2025-03-30"]),
        (MONTHLY, "2025-01-29", ["2025-02-28", "2025-03-29"]),
        (YEARLY, "2024-02-29", ["2025-02-28", "2026-02-28", "2027-02-28", "2028-02-29"]),
        (QUARTERLY, "2025-11-30", ["2026-02-28", "2026-05-30"]),
        (QUARTERLY, "2023-11-30", ["2024-02-29", "2024-05-30"]),
        (HALF_YEARLY, "2025-08-31", ["2026-02-28", "2026-08-31"]),
        (YEARLY, "2096-02-29", ["2097-02-28", "2098-02-28", "2099-02-28", "2100-02-28"]),
        (Interval(Unit.WEEK, 2), "2025-12-25", ["2026-01-08", "2026-01-22"]),
        (Interval(Unit.DAY, 10), "2024-02-25", ["2024-03-06"]),
    ],
)
def test_each_period_hangs_on_the_anchor(
    interval: Interval, anchor: str, expected: list[str]
) -> None:
    assert starts(interval, anchor, len(expected)) == expected


@given(intervals, anchors, st.integers(-40, 120))
def test_periods_tile(interval: Interval, anchor: datetime, index: int) -> None:
    period, following = interval.period(anchor, index), interval.period(anchor, index + 1)
    assert period.start < period.end == following.start


@given(intervals, anchors, st.timedeltas(timedelta(days=-4000), timedelta(days=4000)))
def test_every_instant_is_in_the_period_it_is_said_to_be_in(
    interval: Interval, anchor: datetime, distance: timedelta
) -> None:
    assert anchor + distance in interval.period_at(anchor, anchor + distance)


def test_the_end_belongs_to_the_next_period() -> None:
    start, end = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC)
    assert end - timedelta(microseconds=1) in Period(start, end)
    assert end not in Period(start, end)


def test_no_empty_period_and_no_empty_interval() -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    with pytest.raises(InvalidInput):
        Period(now, now)
    with pytest.raises(InvalidInput):
        Interval(Unit.DAY, 0)
