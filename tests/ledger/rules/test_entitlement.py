"""Sources of one feature are merged by its rule; overrides, blocks and denials by rank."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from random import Random
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.events.catalog import Feature, FeatureKind, FeatureTerm, FeatureValue, MergeRule
from ledger.events.grant import GrantEffect
from ledger.events.subscription import SubscriptionStatus
from ledger.ids import derived_id
from ledger.rules.claim import Voice
from ledger.rules.entitlement import Contribution, Reason, Segment, Source, decide, resolve
from tests.given import NOON, day, on
from tests.ledger.rules.saying import (
    CREDITS,
    EXPORT,
    LOOK,
    SEATS,
    TIER,
    gift,
    heard,
    item,
    lines,
    started,
    term,
    timeline,
)

GRANT, OVERRIDE = GrantEffect.GRANT, GrantEffect.OVERRIDE
BLOCK, DENY = GrantEffect.BLOCK, GrantEffect.DENY


def ref(number: int) -> UUID:
    return derived_id(7, "ref", str(number))


def plan(feature: Feature, value: FeatureValue) -> Voice:
    """A plan that gives a value for 31 days."""
    active = started(SubscriptionStatus.ACTIVE, item(term(feature, value)))
    return heard(on(0, active))


def trial(feature: Feature, value: FeatureValue, end: int) -> Voice:
    trialing = started(SubscriptionStatus.TRIALING, item(term(feature, value)), trial_end=day(end))
    return heard(on(0, trialing))


def given_by_hand(
    effect: GrantEffect, given: FeatureTerm, start: int = 0, end: int | None = None
) -> Voice:
    return heard(on(start, gift(effect, given, start, end)))


def merged(feature: Feature, *voices: Voice) -> list[str]:
    return timeline(feature, {ref(number): voice for number, voice in enumerate(voices)})


def test_plan_grant_and_trial_on_one_feature_are_merged_by_its_rule() -> None:
    voices = (
        plan(SEATS, 5),
        given_by_hand(GRANT, term(SEATS, 20), 10, 12),
        trial(SEATS, 10, 7),
    )
    assert merged(SEATS, *voices) == [
        "0-7 10 trial",
        "7-10 5 plan",
        "10-12 20 grant",
        "12-31 5 plan",
        "31- no period_ended",
    ]


@pytest.mark.parametrize(
    ("feature", "values", "answer"),
    [
        (EXPORT, (False, True), "True"),
        (EXPORT, (False, False), "no"),
        (SEATS, (3, 5), "5"),
        (SEATS, (3, None), "unlimited"),
        (SEATS, (0, 0), "no"),
        (CREDITS, (100, 250), "350"),
        (CREDITS, (100, None), "unlimited"),
        (TIER, ("team", "pro"), "team"),
        (TIER, ("free", "pro"), "pro"),
        (LOOK, ('{"a":1}', '{"b":2}'), '{"b":2}'),
    ],
)
def test_each_rule_of_merging(
    feature: Feature, values: tuple[FeatureValue, FeatureValue], answer: str
) -> None:
    first, second = values
    line = merged(
        feature,
        given_by_hand(GRANT, term(feature, first)),
        given_by_hand(GRANT, term(feature, second), 1),
    )[-1]
    assert line.split(maxsplit=1)[1].startswith(answer)


def test_an_override_replaces_what_plans_and_grants_say() -> None:
    voices = (
        plan(SEATS, 50),
        given_by_hand(GRANT, term(SEATS, 80)),
        given_by_hand(OVERRIDE, term(SEATS, 3), 5, 9),
        given_by_hand(OVERRIDE, term(SEATS, 7), 6, 8),
    )
    assert merged(SEATS, *voices) == [
        "0-5 80 grant",
        "5-6 3 override",
        "6-8 7 override",
        "8-9 3 override",
        "9- 80 grant",
    ]


def test_an_override_to_nothing_is_a_no() -> None:
    voices = (plan(EXPORT, True), given_by_hand(OVERRIDE, term(EXPORT, False), 5))
    assert merged(EXPORT, *voices) == ["0-5 True plan", "5- no override"]


def test_a_block_takes_away_what_plans_give_and_its_expiry_gives_it_back() -> None:
    voices = (plan(EXPORT, True), given_by_hand(BLOCK, term(EXPORT, True), 5, 9))
    assert merged(EXPORT, *voices) == [
        "0-5 True plan",
        "5-9 no blocked",
        "9-31 True plan",
        "31- no period_ended",
    ]


def test_a_manual_grant_survives_a_block_but_no_denial() -> None:
    voices = (
        plan(SEATS, 50),
        given_by_hand(GRANT, term(SEATS, 5)),
        given_by_hand(BLOCK, term(SEATS, 0), 2, 6),
        given_by_hand(DENY, term(SEATS, 0), 4, 5),
        given_by_hand(OVERRIDE, term(SEATS, 99), 4, 5),
    )
    assert merged(SEATS, *voices) == [
        "0-2 50 plan",
        "2-4 5 grant",
        "4-5 no denied",
        "5-6 5 grant",
        "6-31 50 plan",
        "31- 5 grant",
    ]


def test_two_live_subscriptions_give_access_once() -> None:
    assert merged(EXPORT, plan(EXPORT, True), plan(EXPORT, True)) == [
        "0-31 True plan",
        "31- no period_ended",
    ]


def test_the_latest_definition_of_a_feature_counts() -> None:
    as_sum = Feature(key=SEATS.key, kind=FeatureKind.LIMIT, merge=MergeRule.SUM)
    voices = (
        given_by_hand(GRANT, term(SEATS, 5)),
        given_by_hand(GRANT, term(SEATS, 7), 1),
        given_by_hand(GRANT, term(as_sum, 1), 2, 3),
    )
    assert merged(SEATS, *voices) == ["0-1 5 grant", "1-2 7 grant", "2-3 13 grant", "3- 7 grant"]


def test_at_the_end_of_a_span_the_next_one_decides() -> None:
    voice = given_by_hand(GRANT, term(EXPORT, True), 0, 1)
    said = list(voice.contributions(ref(0)))
    before = [each for each in said if each.holds(day(1) - timedelta(microseconds=1))]
    after = [each for each in said if each.holds(day(1))]
    assert decide(before).allowed
    assert not decide(after).allowed


def test_about_a_feature_nobody_speaks_of_the_answer_is_no() -> None:
    assert resolve([]) == {}
    assert decide([]).reason is Reason.NO_ENTITLEMENT


VALUES: dict[str, st.SearchStrategy[FeatureValue]] = {
    "export": st.booleans(),
    "seats": st.one_of(st.none(), st.integers(0, 3)),
    "credits": st.one_of(st.none(), st.integers(0, 3)),
    "tier": st.sampled_from(TIER.ranks),
}


@st.composite
def contributions(draw: st.DrawFn, features: tuple[Feature, ...]) -> list[Contribution]:
    feature = draw(st.sampled_from(features))
    made = []
    for number in range(draw(st.integers(1, 7))):
        start = draw(st.integers(0, 9))
        end = draw(st.one_of(st.none(), st.integers(start + 1, 10)))
        source = draw(st.sampled_from(list(Source)))
        made.append(
            Contribution(
                source=source,
                ref=ref(number % 3),
                item=str(number),
                term=term(feature, draw(VALUES[feature.key])),
                start=day(start),
                end=None if end is None else day(end),
                reason=Reason.PLAN,
                gives=source is not Source.BLOCK and draw(st.booleans()),
                denies=source is Source.BLOCK and draw(st.booleans()),
            )
        )
    return made


ALL = (EXPORT, SEATS, CREDITS, TIER)


@given(contributions(ALL))
def test_a_timeline_has_neither_gap_nor_overlap_and_is_never_parted_in_vain(
    said: list[Contribution],
) -> None:
    (segments,) = resolve(said).values()
    assert segments[0].start == min(each.start for each in said)
    assert segments[-1].end is None
    for earlier, later in pairwise(segments):
        assert earlier.end == later.start
        assert earlier.outcome != later.outcome


@given(contributions(ALL), st.randoms(use_true_random=False))
def test_the_order_in_which_sources_speak_does_not_matter(
    said: list[Contribution], random: Random
) -> None:
    shuffled = [*said]
    random.shuffle(shuffled)
    assert resolve(shuffled) == resolve(said)


@given(contributions(ALL))
def test_every_segment_says_what_is_decided_at_its_every_moment(said: list[Contribution]) -> None:
    (segments,) = resolve(said).values()
    for number in range(12):
        moment = NOON + timedelta(days=number)
        expected = decide([each for each in said if each.holds(moment)])
        found = _at(segments, number)
        assert found is None or found.outcome == expected


def _at(segments: tuple[Segment, ...], number: int) -> Segment | None:
    moment = day(number)
    return next(
        (s for s in segments if s.start <= moment and (s.end is None or moment < s.end)), None
    )


def test_lines_read_as_days() -> None:
    (segments,) = resolve(plan(EXPORT, True).contributions(ref(0))).values()
    assert lines(segments)[0] == "0-31 True plan"
