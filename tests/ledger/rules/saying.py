"""Short words for who says what about a feature, and the answer as lines to read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from uuid import UUID

from ledger.events.base import Decided
from ledger.events.catalog import Feature, FeatureKind, FeatureTerm, FeatureValue, MergeRule
from ledger.events.grant import GrantEffect, GrantGiven
from ledger.events.subscription import SubscriptionItem, SubscriptionStarted, SubscriptionStatus
from ledger.ids import derived_id
from ledger.period import Period
from ledger.rules.claim import Voice, hear
from ledger.rules.entitlement import Segment, resolve
from tests.given import NOON, day

CUSTOMER = derived_id(7, "customer")
SUBSCRIPTION = derived_id(7, "subscription")
GRANT = derived_id(7, "grant")

EXPORT = Feature(key="export", kind=FeatureKind.BOOLEAN, merge=MergeRule.ANY)
SEATS = Feature(key="seats", kind=FeatureKind.LIMIT, merge=MergeRule.MAX)
CREDITS = Feature(key="credits", kind=FeatureKind.LIMIT, merge=MergeRule.SUM)
TIER = Feature(
    key="tier", kind=FeatureKind.ENUM, merge=MergeRule.HIGHEST, ranks=("free", "pro", "team")
)
LOOK = Feature(key="look", kind=FeatureKind.CONFIG, merge=MergeRule.LATEST)


def term(feature: Feature, value: FeatureValue) -> FeatureTerm:
    return FeatureTerm(feature=feature, value=value)


def item(
    *terms: FeatureTerm,
    name: str = "si_1",
    period: tuple[int, int] | None = (0, 30),
    grace_days: int = 7,
    leeway_hours: int = 24,
) -> SubscriptionItem:
    """An item that gives these terms, paid for from one day to another."""
    return SubscriptionItem(
        provider_id=name,
        price=derived_id(7, "price"),
        plan="pro",
        plan_version=1,
        terms=terms or (term(EXPORT, True),),
        grace_days=grace_days,
        leeway_hours=leeway_hours,
        amount=None,
        interval=None,
        quantity=1,
        period=Period(day(period[0]), day(period[1])) if period else None,
    )


def started(
    status: SubscriptionStatus, *items: SubscriptionItem, trial_end: datetime | None = None
) -> SubscriptionStarted:
    return SubscriptionStarted(
        customer=CUSTOMER,
        provider_id="sub_1",
        status=status,
        items=items or (item(),),
        began_at=day(0),
        trial_end=trial_end,
    )


def gift(
    effect: GrantEffect, given: FeatureTerm, start: int = 0, end: int | None = None
) -> GrantGiven:
    """An operator's say on a feature from one day to another."""
    return GrantGiven(
        customer=CUSTOMER,
        effect=effect,
        term=given,
        starts_at=day(start),
        expires_at=None if end is None else day(end),
        reason="a favour",
    )


def heard(*events: Decided) -> Voice:
    """What a stream says after these events."""
    voice: Voice | None = None
    for event in events:
        voice = hear(voice, event)
    return voice or Voice(())


def timeline(feature: Feature, voices: Mapping[UUID, Voice]) -> list[str]:
    """The timeline of a feature as lines: days, value, reason."""
    return lines(resolved(voices).get(feature.key, ()))


def resolved(voices: Mapping[UUID, Voice]) -> dict[str, tuple[Segment, ...]]:
    said = (each for ref, voice in voices.items() for each in voice.contributions(ref))
    return resolve(said)


def lines(segments: Iterable[Segment]) -> list[str]:
    return [f"{_day(segment.start)}-{_day(segment.end)} {_answer(segment)}" for segment in segments]


def _day(instant: datetime | None) -> str:
    if instant is None:
        return ""
    since = instant - NOON
    hours = since.seconds // 3600
    return f"{since.days}" + (f".{hours}h" if hours else "")


def _answer(segment: Segment) -> str:
    outcome = segment.outcome
    value = "unlimited" if outcome.allowed and outcome.value is None else outcome.value
    return f"{value} {outcome.reason}" if outcome.allowed else f"no {outcome.reason}"
