"""What a subscription and a grant say about access over time, one story each.

A line is a span of days since the first of March and the answer: `0-14 True trial`.
"""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from ledger.events.base import Decided
from ledger.events.grant import GrantEffect, GrantExpired, GrantRevoked
from ledger.events.subscription import (
    SubscriptionActivated,
    SubscriptionCancelScheduled,
    SubscriptionCancelUnscheduled,
    SubscriptionCollectionPaused,
    SubscriptionEnded,
    SubscriptionIncomplete,
    SubscriptionItemsChanged,
    SubscriptionPastDue,
    SubscriptionPaused,
    SubscriptionPeriodAdvanced,
    SubscriptionStatus,
    SubscriptionTrialChanged,
    SubscriptionTrialEnded,
    SubscriptionTrialStarted,
    SubscriptionUnpaid,
)
from tests.given import day, on
from tests.ledger.rules.saying import (
    CREDITS,
    EXPORT,
    GRANT,
    SEATS,
    SUBSCRIPTION,
    gift,
    heard,
    item,
    started,
    term,
    timeline,
)

ACTIVE = SubscriptionStatus.ACTIVE
TRIALING = SubscriptionStatus.TRIALING
CANCELED = SubscriptionEnded(status=SubscriptionStatus.CANCELED, reason=None)
WITH_CARD = on(0, started(TRIALING, item(period=(0, 14)), trial_end=day(14)))
PAID = on(0, started(ACTIVE))


def renewed(start: int, end: int) -> SubscriptionPeriodAdvanced:
    return SubscriptionPeriodAdvanced(items=(item(period=(start, end)),))


@pytest.mark.parametrize(
    ("story", "expected"),
    [
        pytest.param(
            [PAID],
            ["0-31 True plan", "31- no period_ended"],
            id="a paid period ends a leeway after its end, unless a renewal is heard of",
        ),
        pytest.param(
            [on(0, started(ACTIVE, item(period=None)))],
            ["0- True plan"],
            id="without a period there is no end",
        ),
        pytest.param(
            [PAID, on(30, renewed(30, 60)), on(60, renewed(60, 90))],
            ["0-91 True plan", "91- no period_ended"],
            id="renewals lengthen one span",
        ),
        pytest.param(
            [PAID, on(40, renewed(30, 60))],
            ["0-31 True plan", "31-40 no period_ended", "40-61 True plan", "61- no period_ended"],
            id="a renewal that counts from after the leeway leaves the hole it left",
        ),
        pytest.param(
            [WITH_CARD],
            ["0-14 True trial", "14- no trial_ended"],
            id="a trial ends at its end exactly, every worker asleep",
        ),
        pytest.param(
            [on(0, started(TRIALING, item(period=None)))],
            ["0- True trial"],
            id="a trial without an end is open",
        ),
        pytest.param(
            [WITH_CARD, on(14, renewed(14, 44)), Decided(SubscriptionActivated(), day(14))],
            ["0-14 True trial", "14-45 True plan", "45- no period_ended"],
            id="a converted trial has no hole at the seam",
        ),
        pytest.param(
            [WITH_CARD, on(14, SubscriptionTrialEnded(trial_end=day(14)))],
            ["0-14 True trial", "14- no trial_ended"],
            id="the trial's end coming due changes nothing that was not known",
        ),
        pytest.param(
            [WITH_CARD, on(14, SubscriptionPaused(reason="no card"))],
            ["0-14 True trial", "14- no paused"],
            id="a trial that ends without a card: paused",
        ),
        pytest.param(
            [WITH_CARD, on(14, CANCELED)],
            ["0-14 True trial", "14- no subscription_ended"],
            id="a trial that ends without a card: canceled",
        ),
        pytest.param(
            [WITH_CARD, on(14, SubscriptionPastDue(since=day(14)))],
            ["0-14 True trial", "14-21 True past_due_grace", "21- no grace_ended"],
            id="a trial that ends without a card: an invoice nobody pays",
        ),
        pytest.param(
            [WITH_CARD, on(5, SubscriptionTrialChanged(trial_end=day(20)))],
            ["0-20 True trial", "20- no trial_ended"],
            id="a trial extended",
        ),
        pytest.param(
            [WITH_CARD, on(5, SubscriptionTrialChanged(trial_end=day(5)))],
            ["0-5 True trial", "5- no trial_ended"],
            id="a trial shortened to now",
        ),
        pytest.param(
            [WITH_CARD, on(5, SubscriptionActivated()), on(5, renewed(5, 35))],
            ["0-5 True trial", "5-36 True plan", "36- no period_ended"],
            id="a trial converted early",
        ),
        pytest.param(
            [PAID, on(3, SubscriptionTrialStarted(trial_end=day(9)))],
            ["0-3 True plan", "3-9 True trial", "9- no trial_ended"],
            id="back into trial",
        ),
    ],
)
def test_periods_and_trials(story: Sequence[Decided], expected: list[str]) -> None:
    assert timeline(EXPORT, {SUBSCRIPTION: heard(*story)}) == expected


@pytest.mark.parametrize(
    ("story", "expected"),
    [
        pytest.param(
            [PAID, on(3, SubscriptionCancelScheduled(at=day(30), at_period_end=True))],
            ["0-30 True plan", "30- no subscription_ended"],
            id="a cancel at the period's end is exact: no leeway",
        ),
        pytest.param(
            [PAID, on(3, SubscriptionCancelScheduled(at=day(12), at_period_end=False))],
            ["0-12 True plan", "12- no subscription_ended"],
            id="a cancel in mid-period ends access then",
        ),
        pytest.param(
            [PAID, on(3, SubscriptionCancelScheduled(at=day(75), at_period_end=False))],
            ["0-31 True plan", "31- no period_ended"],
            id="a cancel beyond the paid period waits for renewals",
        ),
        pytest.param(
            [
                PAID,
                on(3, SubscriptionCancelScheduled(at=day(30), at_period_end=True)),
                on(29, SubscriptionCancelUnscheduled()),
                on(30, renewed(30, 60)),
            ],
            ["0-61 True plan", "61- no period_ended"],
            id="a cancel taken back leaves no hole",
        ),
        pytest.param(
            [
                PAID,
                on(3, SubscriptionCancelScheduled(at=day(30), at_period_end=True)),
                on(30, CANCELED),
            ],
            ["0-30 True plan", "30- no subscription_ended"],
            id="the end that was scheduled is no news",
        ),
        pytest.param(
            [PAID, on(9, CANCELED)],
            ["0-9 True plan", "9- no subscription_ended"],
            id="an immediate end",
        ),
        pytest.param(
            [WITH_CARD, on(2, SubscriptionCancelScheduled(at=day(14), at_period_end=True))],
            ["0-14 True trial", "14- no subscription_ended"],
            id="a trial with a cancel scheduled runs to its end",
        ),
        pytest.param(
            [PAID, on(30, SubscriptionPastDue(since=day(30)))],
            ["0-30 True plan", "30-37 True past_due_grace", "37- no grace_ended"],
            id="past due: grace from the first failure on",
        ),
        pytest.param(
            [
                PAID,
                on(30, SubscriptionPastDue(since=day(30))),
                on(32, SubscriptionActivated()),
                on(32, renewed(30, 60)),
            ],
            [
                "0-30 True plan",
                "30-32 True past_due_grace",
                "32-61 True plan",
                "61- no period_ended",
            ],
            id="four failures, then success: never without access inside the grace",
        ),
        pytest.param(
            [PAID, on(31, SubscriptionPastDue(since=day(30)))],
            ["0-30 True plan", "30-37 True past_due_grace", "37- no grace_ended"],
            id="past due heard of a day late still counts from the failure",
        ),
        pytest.param(
            [
                PAID,
                on(30, SubscriptionPastDue(since=day(30))),
                on(33, SubscriptionCancelScheduled(at=day(35), at_period_end=False)),
            ],
            ["0-30 True plan", "30-35 True past_due_grace", "35- no subscription_ended"],
            id="a cancel cuts the grace",
        ),
        pytest.param(
            [on(0, started(SubscriptionStatus.PAST_DUE, item(grace_days=0)))],
            ["0- no grace_ended"],
            id="no grace, no access",
        ),
        pytest.param(
            [PAID, on(20, SubscriptionUnpaid())],
            ["0-20 True plan", "20- no unpaid"],
            id="unpaid",
        ),
        pytest.param(
            [PAID, on(5, SubscriptionPaused(reason=None)), on(25, SubscriptionActivated())],
            ["0-5 True plan", "5-25 no paused", "25-31 True plan", "31- no period_ended"],
            id="paused and resumed",
        ),
        pytest.param(
            [PAID, on(5, SubscriptionCollectionPaused())],
            ["0-31 True plan", "31- no period_ended"],
            id="paused collection changes nothing",
        ),
        pytest.param(
            [on(0, started(SubscriptionStatus.INCOMPLETE)), on(0, SubscriptionIncomplete())],
            ["0- no incomplete"],
            id="the first payment has not come",
        ),
        pytest.param(
            [on(0, started(SubscriptionStatus.INCOMPLETE)), on(1, SubscriptionActivated())],
            ["0-1 no incomplete", "1-31 True plan", "31- no period_ended"],
            id="the first payment came",
        ),
        pytest.param(
            [
                on(0, started(SubscriptionStatus.INCOMPLETE)),
                on(
                    1,
                    SubscriptionEnded(status=SubscriptionStatus.INCOMPLETE_EXPIRED, reason=None),
                ),
            ],
            ["0-1 no incomplete", "1- no subscription_ended"],
            id="the first payment never came",
        ),
    ],
)
def test_ends_and_trouble(story: Sequence[Decided], expected: list[str]) -> None:
    assert timeline(EXPORT, {SUBSCRIPTION: heard(*story)}) == expected


def test_items_end_each_at_its_own_time() -> None:
    monthly = item(term(EXPORT, True), name="si_month", period=(0, 30))
    yearly = item(term(SEATS, 5), name="si_year", period=(0, 365))
    voices = {SUBSCRIPTION: heard(on(0, started(ACTIVE, monthly, yearly)))}
    assert timeline(EXPORT, voices) == ["0-31 True plan", "31- no period_ended"]
    assert timeline(SEATS, voices) == ["0-366 5 plan", "366- no period_ended"]


def test_two_items_of_one_plan_both_count_where_values_add_up() -> None:
    packs = [item(term(CREDITS, 100), name=name) for name in ("si_1", "si_2")]
    voices = {SUBSCRIPTION: heard(on(0, started(ACTIVE, *packs)))}
    assert timeline(CREDITS, voices) == ["0-31 200 plan", "31- no period_ended"]


def test_an_upgrade_takes_effect_when_it_counts_and_keeps_what_was() -> None:
    small, large = item(term(SEATS, 5)), item(term(SEATS, 50))
    story = [
        on(0, started(ACTIVE, small)),
        on(10, SubscriptionItemsChanged(items=(large,))),
        on(20, SubscriptionItemsChanged(items=(item(term(EXPORT, True)),))),
    ]
    voices = {SUBSCRIPTION: heard(*story)}
    assert timeline(SEATS, voices) == ["0-10 5 plan", "10-20 50 plan", "20- no no_entitlement"]
    assert timeline(EXPORT, voices) == ["20-31 True plan", "31- no period_ended"]


def test_news_of_a_past_due_subscription_leaves_its_past_alone() -> None:
    story = [
        on(0, started(ACTIVE, item(term(SEATS, 5)))),
        on(30, SubscriptionPastDue(since=day(30))),
        on(33, SubscriptionItemsChanged(items=(item(term(SEATS, 2)),))),
    ]
    assert timeline(SEATS, {SUBSCRIPTION: heard(*story)}) == [
        "0-30 5 plan",
        "30-33 5 past_due_grace",
        "33-37 2 past_due_grace",
        "37- no grace_ended",
    ]


FAVOUR = gift(GrantEffect.GRANT, term(EXPORT, True), 2, 9)


@pytest.mark.parametrize(
    ("story", "expected"),
    [
        pytest.param(
            [on(2, FAVOUR)], ["2-9 True grant", "9- no grant_expired"], id="from start to expiry"
        ),
        pytest.param(
            [on(2, FAVOUR), on(9, GrantExpired(expires_at=day(9)))],
            ["2-9 True grant", "9- no grant_expired"],
            id="its end coming due is no news",
        ),
        pytest.param(
            [on(2, FAVOUR), on(5, GrantRevoked(reason="enough"))],
            ["2-5 True grant", "5- no grant_revoked"],
            id="revoked before its time",
        ),
        pytest.param(
            [on(2, FAVOUR), on(1, GrantRevoked(reason="enough"))],
            [],
            id="revoked before it began: it never was",
        ),
        pytest.param(
            [on(2, FAVOUR), on(12, GrantRevoked(reason="enough"))],
            ["2-9 True grant", "9- no grant_expired"],
            id="revoked after it was over",
        ),
        pytest.param(
            [on(5, gift(GrantEffect.GRANT, term(EXPORT, True), 5, 5))], [], id="of no length"
        ),
        pytest.param(
            [on(5, gift(GrantEffect.GRANT, term(EXPORT, True), 5, 3))],
            [],
            id="ends before it starts",
        ),
        pytest.param(
            [on(1, gift(GrantEffect.DENY, term(EXPORT, True), 1, 3))],
            ["1-3 no denied", "3- no no_entitlement"],
            id="a block that is over leaves no trace",
        ),
    ],
)
def test_grants(story: Sequence[Decided], expected: list[str]) -> None:
    assert timeline(EXPORT, {GRANT: heard(*story)}) == expected


def test_years_of_renewals_do_not_grow_what_is_said() -> None:
    story = [PAID, *(on(30 * n, renewed(30 * n, 30 * n + 30)) for n in range(1, 60))]
    assert len(heard(*story).claims) == 2
