"""The demo's story: it holds what it promises, and told again it is the same, id by id."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest

from simulation.demo import story
from simulation.demo.account import StripeAccount, flattened
from simulation.demo.cast import CAST
from simulation.demo.plots import PLOTS
from simulation.demo.provider import SEED
from simulation.stripe.account import Habits
from simulation.stripe.server import StripeSimulator

_BEGAN = datetime(2026, 5, 22, 9, 30, tzinfo=UTC)


@contextmanager
def _told(heard: list[timedelta]) -> Iterator[StripeSimulator]:
    habits = Habits(after_last_retry="unpaid")
    with StripeSimulator(SEED, _BEGAN, habits=habits) as simulator:
        with StripeAccount(simulator.base_url) as account:
            story.play(account, _BEGAN, heard.append)
        yield simulator


def test_half_a_year_of_forty_customers_knows_every_fate() -> None:
    heard: list[timedelta] = []
    with _told(heard) as simulator:
        store = simulator.account.store
        statuses = Counter(each["status"] for each in store.newest("subscription"))
        kinds = Counter(each["type"] for each in store.newest("event"))
        customers = store.count("customer")
        assert simulator.now == _BEGAN + story.LENGTH
    assert customers == len(CAST) >= 40
    assert set(statuses) == {
        *("active", "trialing", "past_due", "unpaid", "paused", "canceled", "incomplete_expired")
    }
    assert statuses["active"] > 25
    for kind in (
        "customer.subscription.trial_will_end",
        "customer.subscription.paused",
        "customer.subscription.resumed",
        "customer.subscription.deleted",
        "invoice.payment_failed",
        "invoice.voided",
        "invoice.marked_uncollectible",
    ):
        assert kinds[kind], f"nobody lives through {kind}"
    assert heard == sorted(heard)
    assert heard[-1] == story.LENGTH


def test_told_again_it_is_the_same_events() -> None:
    with _told([]) as simulator:
        first = simulator.event_log()
    with _told([]) as simulator:
        assert simulator.event_log() == first


def test_every_plot_has_somebody() -> None:
    assert {person.plot for person in CAST} == set(PLOTS)
    assert len({person.user for person in CAST}) == len(CAST)


@pytest.mark.parametrize(
    ("params", "form"),
    [
        ({"limit": 3}, {"limit": "3"}),
        ({"metadata": {"a": "b"}}, {"metadata[a]": "b"}),
        (
            {"items": [{"id": "si_1", "deleted": True}]},
            {
                "items[0][id]": "si_1",
                "items[0][deleted]": "true",
            },
        ),
    ],
)
def test_parameters_are_nested_as_stripe_reads_them(
    params: dict[str, object], form: dict[str, str]
) -> None:
    assert dict(flattened(params)) == form
