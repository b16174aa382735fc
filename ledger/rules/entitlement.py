"""What a customer may use, and when: the merge of everything that says so.

A plan, a trial, a grant, an override or a block each *contributes* to one feature over a half-open
span. Resolving contributions gives the feature's timeline: from the first moment anything is said,
segments that follow each other without a gap, the last one open.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from ledger.events.catalog import Feature, FeatureKind, FeatureTerm, FeatureValue, MergeRule


class Source(StrEnum):
    """Where a say on a feature comes from."""

    PLAN = "plan"
    TRIAL = "trial"
    GRANT = "grant"
    OVERRIDE = "override"
    BLOCK = "block"


class Reason(StrEnum):
    """Why an answer is what it is; stable codes for callers."""

    PLAN = "plan"
    TRIAL = "trial"
    PAST_DUE_GRACE = "past_due_grace"
    GRANT = "grant"
    OVERRIDE = "override"
    BLOCKED = "blocked"
    DENIED = "denied"
    TRIAL_ENDED = "trial_ended"
    PERIOD_ENDED = "period_ended"  # no renewal was heard of, and the leeway is over
    GRACE_ENDED = "grace_ended"
    SUBSCRIPTION_ENDED = "subscription_ended"
    INCOMPLETE = "incomplete"
    UNPAID = "unpaid"
    PAUSED = "paused"
    GRANT_EXPIRED = "grant_expired"
    GRANT_REVOKED = "grant_revoked"
    NO_ENTITLEMENT = "no_entitlement"


@dataclass(frozen=True, slots=True, kw_only=True)
class Contribution:
    """One source's say on one feature from `start` until `end`, for ever when there is none.

    `ref` is the stream that says it, `item` which part of it. Without `gives` it gives nothing and
    is only the reason why. A block that `denies` takes away manual grants too.
    """

    source: Source
    ref: UUID
    item: str
    term: FeatureTerm
    start: datetime
    end: datetime | None
    reason: Reason
    gives: bool = True
    denies: bool = False

    def holds(self, instant: datetime) -> bool:
        return self.start <= instant and (self.end is None or instant < self.end)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The answer on a feature: of a limit, None is unlimited; `ref` is the stream that decided."""

    allowed: bool
    kind: FeatureKind | None
    value: FeatureValue
    source: Source | None
    ref: UUID | None
    reason: Reason


@dataclass(frozen=True, slots=True)
class Segment:
    """A span over which the answer on a feature stays the same; no end means for ever."""

    start: datetime
    end: datetime | None
    outcome: Outcome


def resolve(contributions: Iterable[Contribution]) -> dict[str, tuple[Segment, ...]]:
    """The timeline of each feature that anything is said about, by feature key."""
    by_feature: defaultdict[str, list[Contribution]] = defaultdict(list)
    for contribution in contributions:
        by_feature[contribution.term.feature.key].append(contribution)
    return {key: _timeline(said) for key, said in by_feature.items()}


def decide(active: Sequence[Contribution]) -> Outcome:
    """The answer where exactly these contributions to one feature hold."""
    if not active:
        return Outcome(
            allowed=False,
            kind=None,
            value=None,
            source=None,
            ref=None,
            reason=Reason.NO_ENTITLEMENT,
        )
    speaking = [each for each in active if each.gives] or active
    feature = max(speaking, key=_began).term.feature
    denials = [each for each in active if each.denies]
    if denials:
        return _nothing(feature, max(denials, key=_began), Reason.DENIED)
    giving = [each for each in active if each.gives and _fits(feature, each.term.value)]
    overrides = [each for each in giving if each.source is Source.OVERRIDE]
    if overrides:
        winner = max(overrides, key=_began)
        return _given(feature, winner, winner.term.value)
    blocks = [each for each in active if each.source is Source.BLOCK]
    if blocks:
        giving = [each for each in giving if each.source is Source.GRANT]
    if giving:
        return _merged(feature, giving)
    if blocks:
        return _nothing(feature, max(blocks, key=_began), Reason.BLOCKED)
    last = max(active, key=_began)
    return _nothing(feature, last, last.reason)


def _timeline(said: Sequence[Contribution]) -> tuple[Segment, ...]:
    moments = {each.start for each in said}
    moments.update(each.end for each in said if each.end is not None)
    ordered = sorted(moments)
    segments: list[Segment] = []
    for start, end in zip(ordered, [*ordered[1:], None], strict=True):
        outcome = decide([each for each in said if each.holds(start)])
        if segments and segments[-1].outcome == outcome:
            segments[-1] = replace(segments[-1], end=end)
        else:
            segments.append(Segment(start, end, outcome))
    return tuple(segments)


def _merged(feature: Feature, giving: Sequence[Contribution]) -> Outcome:
    if feature.merge is MergeRule.LATEST:
        winner = max(giving, key=_began)
        return _given(feature, winner, winner.term.value)
    winner = max(giving, key=lambda each: (_height(feature, each.term.value), _began(each)))
    value = winner.term.value
    if feature.merge is MergeRule.SUM and value is not None:
        value = sum(each.term.value for each in giving if isinstance(each.term.value, int))
    return _given(feature, winner, value)


def _height(feature: Feature, value: FeatureValue) -> tuple[bool, int]:
    """How high a value stands among its feature's values; unlimited is above all."""
    if isinstance(value, str):
        return False, feature.ranks.index(value) if value in feature.ranks else -1
    return value is None, value or 0


def _began(contribution: Contribution) -> tuple[datetime, UUID, str, str]:
    """What decides among equals: the last to begin, then something stable."""
    value = repr(contribution.term.value)
    return contribution.start, contribution.ref, contribution.item, value


def _fits(feature: Feature, value: FeatureValue) -> bool:
    """Whether a value said under an older definition is still of the feature's kind."""
    match feature.kind:
        case FeatureKind.BOOLEAN:
            return isinstance(value, bool)
        case FeatureKind.LIMIT:
            return value is None or (isinstance(value, int) and not isinstance(value, bool))
    return isinstance(value, str)


def _given(feature: Feature, winner: Contribution, value: FeatureValue) -> Outcome:
    refused = value is False if feature.kind is FeatureKind.BOOLEAN else value == 0
    return Outcome(
        allowed=not refused,
        kind=feature.kind,
        value=value,
        source=winner.source,
        ref=winner.ref,
        reason=winner.reason,
    )


def _nothing(feature: Feature, because: Contribution, reason: Reason) -> Outcome:
    empty: dict[FeatureKind, FeatureValue] = {FeatureKind.BOOLEAN: False, FeatureKind.LIMIT: 0}
    return Outcome(
        allowed=False,
        kind=feature.kind,
        value=empty.get(feature.kind),
        source=because.source,
        ref=because.ref,
        reason=reason,
    )
