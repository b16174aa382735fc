"""Billing cycles: properties that hold for every anchor and every rhythm."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ledger.clock import from_unix
from simulation.stripe.cycles import Cycle, next_day_of_month

instants = st.integers(1_577_836_800, 2_051_222_400)
cycles = st.builds(
    Cycle,
    instants,
    st.sampled_from(["day", "week", "month", "year"]),
    st.integers(1, 12),
    st.none() | st.integers(1, 31),
)


@given(cycles, instants)
def test_a_period_holds_its_instant_and_the_next_begins_where_it_ends(
    cycle: Cycle, instant: int
) -> None:
    start, end = cycle.period_at(instant)
    assert start <= instant < end
    assert cycle.period_at(end)[0] == end
    assert cycle.period_at(start - 1)[1] == start


@given(cycles, st.integers(-40, 40))
def test_months_keep_the_day_of_the_anchor_where_they_have_it(cycle: Cycle, k: int) -> None:
    if cycle.interval in ("day", "week"):
        return
    anchor, boundary = from_unix(cycle.anchor), from_unix(cycle.boundary(k))
    day = cycle.day_of_month or anchor.day
    assert boundary.day == day or (boundary.day < day and boundary.day >= 28)
    assert boundary.time() == anchor.time()


@given(instants, st.integers(1, 31), st.none() | st.integers(1, 12))
def test_a_day_of_the_month_is_found_ahead(after: int, day: int, month: int | None) -> None:
    found = next_day_of_month(after, {"day_of_month": day, "month": month})
    assert found > after
    assert from_unix(found).day in {day, 28, 29, 30}
    assert month is None or from_unix(found).month == month
