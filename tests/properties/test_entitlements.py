"""Who may use what, against an oracle that knows neither claims nor spans.

For one instant the oracle takes a stream's events up to the last that counts by then, looks where
the subscription or grant stands, and asks each item in plain words. What the rules fold into spans
must say the same at every instant, and their spans must follow each other without gap or overlap.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.events.base import Decided, Event
from ledger.events.catalog import Feature, FeatureKind, FeatureTerm, FeatureValue
from ledger.events.grant import GrantEffect, GrantGiven, GrantRevoked
from ledger.events.subscription import (
    SubscriptionActivated,
    SubscriptionCancelScheduled,
    SubscriptionCancelUnscheduled,
    SubscriptionEnded,
    SubscriptionIncomplete,
    SubscriptionItem,
    SubscriptionItemsChanged,
    SubscriptionPastDue,
    SubscriptionPaused,
    SubscriptionPeriodAdvanced,
    SubscriptionStarted,
    SubscriptionStatus,
    SubscriptionTrialChanged,
    SubscriptionTrialStarted,
    SubscriptionUnpaid,
)
from ledger.ids import derived_id
from ledger.rules.claim import Voice, hear
from ledger.rules.entitlement import Segment, resolve
from tests.given import day
from tests.ledger.rules.saying import CREDITS, EXPORT, SEATS, TIER, gift, item, started, term

_MOMENT: Final = timedelta(microseconds=1)
_FEATURES: Final = (EXPORT, SEATS, CREDITS, TIER)
_VALUES: Final[dict[str, st.SearchStrategy[FeatureValue]]] = {
    EXPORT.key: st.booleans(),
    SEATS.key: st.none() | st.integers(0, 9),
    CREDITS.key: st.none() | st.integers(0, 9),
    TIER.key: st.sampled_from(TIER.ranks),
}
Histories = dict[UUID, list[Decided]]


@st.composite
def _terms(draw: st.DrawFn) -> FeatureTerm:
    feature = draw(st.sampled_from(_FEATURES))
    return term(feature, draw(_VALUES[feature.key]))


@st.composite
def _items(draw: st.DrawFn) -> tuple[SubscriptionItem, ...]:
    names = draw(st.lists(st.sampled_from(["si_1", "si_2"]), unique=True))
    return tuple(
        item(
            *draw(st.lists(_terms(), min_size=1, max_size=2, unique_by=lambda t: t.feature.key)),
            name=name,
            period=draw(st.none() | st.integers(0, 20).map(lambda start: (start, start + 10))),
            grace_days=draw(st.integers(0, 9)),
            leeway_hours=draw(st.sampled_from([0, 24])),
        )
        for name in sorted(names)
    )


@st.composite
def _news(draw: st.DrawFn, number: int) -> Event:
    moments = st.integers(0, 35).map(day)
    news: Event = draw(
        st.one_of(
            _items().map(lambda items: SubscriptionItemsChanged(items=items)),
            _items().map(lambda items: SubscriptionPeriodAdvanced(items=items)),
            st.just(SubscriptionActivated()),
            st.just(SubscriptionUnpaid()),
            st.just(SubscriptionIncomplete()),
            st.just(SubscriptionPaused(reason=None)),
            st.integers(0, number).map(lambda since: SubscriptionPastDue(since=day(since))),
            (st.none() | moments).map(lambda end: SubscriptionTrialStarted(trial_end=end)),
            (st.none() | moments).map(lambda end: SubscriptionTrialChanged(trial_end=end)),
            moments.map(lambda at: SubscriptionCancelScheduled(at=at, at_period_end=False)),
            st.just(SubscriptionCancelUnscheduled()),
        )
    )
    return news


@st.composite
def _subscription(draw: st.DrawFn) -> list[Decided]:
    statuses = [status for status in SubscriptionStatus if status.value != "incomplete_expired"]
    first = started(draw(st.sampled_from(statuses)), *draw(_items()), trial_end=day(7))
    history = [Decided(first, day(0))]
    for number in sorted(draw(st.lists(st.integers(0, 30), max_size=6))):
        # A conversion counts from the trial's end, which may lie before what is known.
        back = draw(st.sampled_from([0, 0, 0, 3]))
        history.append(Decided(draw(_news(number)), day(max(number - back, 0))))
    if draw(st.booleans()):
        end = SubscriptionEnded(status=SubscriptionStatus.CANCELED, reason=None)
        history.append(Decided(end, day(draw(st.integers(0, 35)))))
    return history


@st.composite
def _grant(draw: st.DrawFn) -> list[Decided]:
    start = draw(st.integers(0, 20))
    end = draw(st.none() | st.integers(start + 1, 30))
    given_event = gift(draw(st.sampled_from(list(GrantEffect))), draw(_terms()), start, end)
    history = [Decided(given_event, day(start))]
    if draw(st.booleans()):
        history.append(Decided(GrantRevoked(reason="r"), day(draw(st.integers(0, 35)))))
    return history


@st.composite
def _histories(draw: st.DrawFn) -> Histories:
    said = draw(st.lists(_subscription(), max_size=2)) + draw(st.lists(_grant(), max_size=3))
    return {derived_id(7, str(number)): history for number, history in enumerate(said)}


@dataclass(frozen=True)
class Say:
    """What one source says of one feature at one instant; `began` orders overrides."""

    effect: str
    value: FeatureValue
    began: tuple[datetime, UUID]


def _says(ref: UUID, history: Sequence[Decided], at: datetime) -> Iterator[tuple[Feature, Say]]:
    first = history[0].event
    if isinstance(first, GrantGiven):
        revoked = [each.effective_at for each in history[1:]]
        ends = [end for end in (first.expires_at, *revoked) if end is not None]
        if first.starts_at <= at < min(ends, default=at + _MOMENT):
            yield first.term.feature, Say(first.effect, first.term.value, (first.starts_at, ref))
        return
    heard = max((n for n, each in enumerate(history) if _counts_from(each) <= at), default=None)
    if heard is None:
        return
    standing = Standing()
    for each in history[: heard + 1]:
        standing.take(each.event, each.effective_at)
    for each_item in standing.items:
        if standing.gives(each_item, at):
            for each_term in each_item.terms:
                yield each_term.feature, Say("plan", each_term.value, (at, ref))


def _counts_from(happened: Decided) -> datetime:
    if isinstance(happened.event, SubscriptionPastDue):
        return min(happened.event.since, happened.effective_at)
    return happened.effective_at


class Standing:
    """Where a subscription stands, in as few words as the mapping of statuses has."""

    def __init__(self) -> None:
        self.status = ""
        self.items: tuple[SubscriptionItem, ...] = ()
        self.trial_end: datetime | None = None
        self.cancel_at: datetime | None = None
        self.since: datetime | None = None

    def take(self, event: Event, at: datetime) -> None:
        self.items = getattr(event, "items", self.items)
        self.trial_end = getattr(event, "trial_end", self.trial_end)
        match event:
            case SubscriptionStarted(status=status) | SubscriptionEnded(status=status):
                self.status, self.since = status.value, at
            case SubscriptionPastDue(since=since):
                self.status, self.since = "past_due", since
            case SubscriptionTrialStarted():
                self.status = "trialing"
            case SubscriptionActivated():
                self.status = "active"
            case SubscriptionUnpaid() | SubscriptionIncomplete() | SubscriptionPaused():
                self.status = "none"
            case SubscriptionCancelScheduled(at=cancel_at):
                self.cancel_at = cancel_at
            case SubscriptionCancelUnscheduled():
                self.cancel_at = None

    def gives(self, each: SubscriptionItem, at: datetime) -> bool:
        """Whether an item gives anything: the table of statuses, then a scheduled end."""
        if self.cancel_at is not None and at >= self.cancel_at:
            return False
        match self.status:
            case "trialing":
                return self.trial_end is None or at < self.trial_end
            case "past_due":
                assert self.since is not None
                return at < self.since + timedelta(days=each.grace_days)
            case "active":
                leeway = timedelta(hours=each.leeway_hours)
                return each.period is None or at < each.period.end + leeway
        return False


def _oracle(histories: Histories, feature: Feature, at: datetime) -> tuple[bool, FeatureValue]:
    says = [
        say
        for ref, history in histories.items()
        for of, say in _says(ref, history, at)
        if of == feature
    ]
    effects = {say.effect for say in says}
    given_values = [say.value for say in says if say.effect in ("plan", "grant")]
    if GrantEffect.DENY in effects:
        given_values = []
    elif GrantEffect.OVERRIDE in effects:
        overrides = [say for say in says if say.effect == GrantEffect.OVERRIDE]
        given_values = [max(overrides, key=lambda say: say.began).value]
    elif GrantEffect.BLOCK in effects:
        given_values = [say.value for say in says if say.effect == GrantEffect.GRANT]
    return _merged(feature, given_values)


def _merged(feature: Feature, values: Sequence[FeatureValue]) -> tuple[bool, FeatureValue]:
    if feature.kind is FeatureKind.BOOLEAN:
        return any(values), any(values)
    if feature.kind is FeatureKind.ENUM:
        best = max(values, key=lambda value: TIER.ranks.index(str(value)), default=None)
        return best is not None, best
    if None in values:
        return True, None
    counts = [value for value in values if isinstance(value, int)]
    total = sum(counts) if feature == CREDITS else max(counts, default=0)
    return total > 0, total


def _timelines(histories: Histories) -> dict[str, tuple[Segment, ...]]:
    contributions = []
    for ref, history in histories.items():
        voice: Voice | None = None
        for happened in history:
            voice = hear(voice, happened)
        contributions += list(voice.contributions(ref)) if voice else []
    return resolve(contributions)


def _instants(histories: Histories) -> list[datetime]:
    """Around each moment at which anything may change, and between them."""
    whole = [day(number) for number in range(-1, 50)]
    return sorted({*whole, *(each - _MOMENT for each in whole), *(day(n + 0.5) for n in range(50))})


@settings(max_examples=300, deadline=None)
@given(_histories())
def test_the_answer_at_every_instant_is_the_plain_reading_of_the_events(
    histories: Histories,
) -> None:
    timelines = _timelines(histories)
    for feature in _FEATURES:
        segments = timelines.get(feature.key, ())
        for at in _instants(histories):
            found = [each for each in segments if _holds(each, at)]
            assert len(found) <= 1
            outcome = found[0].outcome if found else None
            answer = (outcome.allowed, outcome.value) if outcome else (False, None)
            allowed, value = _oracle(histories, feature, at)
            assert answer[0] == allowed, (feature.key, at)
            assert not allowed or answer[1] == value, (feature.key, at)


@settings(max_examples=100, deadline=None)
@given(_histories())
def test_answers_follow_each_other_without_gap_or_overlap(histories: Histories) -> None:
    for segments in _timelines(histories).values():
        assert segments[-1].end is None
        assert all(each.end is None or each.start < each.end for each in segments)
        for earlier, later in pairwise(segments):
            assert earlier.end == later.start
            assert earlier.outcome != later.outcome


def _holds(segment: Segment, at: datetime) -> bool:
    return segment.start <= at and (segment.end is None or at < segment.end)
