"""Metrics: counted under declared labels only."""

from __future__ import annotations

from observability.metrics import Duration, Level, Tally, exposition


def test_a_value_nobody_declared_is_counted_as_other() -> None:
    seen = Tally("test_webhooks", "Webhooks taken in.", status=["folded", "parked"])
    seen.add(status="folded")
    seen.add(2, status="evt_4711")
    seen.add(status="evt_4712")

    lines = exposition().decode().splitlines()
    assert 'test_webhooks_total{status="folded"} 1.0' in lines
    assert 'test_webhooks_total{status="other"} 3.0' in lines
    assert not [line for line in lines if "evt_" in line]


def test_levels_and_durations_need_no_labels() -> None:
    Level("test_lag_events", "Events a projection is behind.").set(7)
    Duration("test_append_seconds", "Time of one append.").observe(0.004)

    lines = exposition().decode().splitlines()
    assert "test_lag_events 7.0" in lines
    assert 'test_append_seconds_bucket{le="0.005"} 1.0' in lines
    assert "test_append_seconds_count 1.0" in lines
