"""What a subscription or a grant says about features over time, folded from its own events.

Each event changes what is said from the moment it counts; what was said for earlier times stays.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from ledger.events.base import Event, Happening
from ledger.events.catalog import FeatureTerm
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
from ledger.rules.entitlement import Contribution, Reason, Source

HEARD: frozenset[type[Event]] = frozenset(
    {
        GrantGiven,
        GrantRevoked,
        SubscriptionActivated,
        SubscriptionCancelScheduled,
        SubscriptionCancelUnscheduled,
        SubscriptionEnded,
        SubscriptionIncomplete,
        SubscriptionItemsChanged,
        SubscriptionPastDue,
        SubscriptionPaused,
        SubscriptionPeriodAdvanced,
        SubscriptionStarted,
        SubscriptionTrialChanged,
        SubscriptionTrialStarted,
        SubscriptionUnpaid,
    }
)
"""The events that can change what is said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What one item says of its features over one half-open span.

    Without `gives` it says that there is nothing, and why.
    """

    source: Source
    item: str
    reason: Reason
    terms: tuple[FeatureTerm, ...]
    start: datetime
    end: datetime | None
    gives: bool = True
    denies: bool = False

    def joins(self, later: Claim) -> bool:
        """Whether `later` says the same from the moment this one ends."""
        return self.end == later.start and replace(self, start=later.start, end=later.end) == later


@dataclass(frozen=True, slots=True)
class Standing:
    """A subscription as far as access depends on it."""

    status: SubscriptionStatus
    items: tuple[SubscriptionItem, ...]
    trial_end: datetime | None = None
    cancel_at: datetime | None = None
    past_due_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Voice:
    """Everything a stream has said so far, and where it stands; a grant has no standing."""

    claims: tuple[Claim, ...]
    standing: Standing | None = None

    def contributions(self, ref: UUID) -> Iterator[Contribution]:
        """The same, feature by feature."""
        for claim in self.claims:
            for term in claim.terms:
                yield Contribution(
                    source=claim.source,
                    ref=ref,
                    item=claim.item,
                    term=term,
                    start=claim.start,
                    end=claim.end,
                    reason=claim.reason,
                    gives=claim.gives,
                    denies=claim.denies,
                )


def hear(voice: Voice | None, happened: Happening) -> Voice | None:
    """The voice after an event; None while nothing has begun."""
    event, at = happened.event, happened.effective_at
    match event:
        case GrantGiven():
            return Voice(tuple(_granted(event)))
        case GrantRevoked():
            return None if voice is None else _revoked(voice, at)
        case SubscriptionStarted():
            standing = Standing(event.status, event.items, event.trial_end)
            if event.status is SubscriptionStatus.PAST_DUE:
                standing = replace(standing, past_due_since=at)
            return _say(Voice(()), standing, at)
        case SubscriptionPastDue(since=since):
            at = min(at, since)
    if voice is None or voice.standing is None:
        return voice
    return _say(voice, _stand(voice.standing, event), at)


def _stand(standing: Standing, event: Event) -> Standing:
    match event:
        case SubscriptionItemsChanged(items=items) | SubscriptionPeriodAdvanced(items=items):
            return replace(standing, items=items)
        case SubscriptionTrialStarted(trial_end=end):
            return replace(standing, status=SubscriptionStatus.TRIALING, trial_end=end)
        case SubscriptionTrialChanged(trial_end=end):
            return replace(standing, trial_end=end)
        case SubscriptionPastDue(since=since):
            return replace(standing, status=SubscriptionStatus.PAST_DUE, past_due_since=since)
        case SubscriptionCancelScheduled(at=at):
            return replace(standing, cancel_at=at)
        case SubscriptionCancelUnscheduled():
            return replace(standing, cancel_at=None)
        case SubscriptionEnded(status=status):
            return replace(standing, status=status)
        case SubscriptionActivated():
            return replace(standing, status=SubscriptionStatus.ACTIVE)
        case SubscriptionUnpaid():
            return replace(standing, status=SubscriptionStatus.UNPAID)
        case SubscriptionPaused():
            return replace(standing, status=SubscriptionStatus.PAUSED)
        case SubscriptionIncomplete():
            return replace(standing, status=SubscriptionStatus.INCOMPLETE)
    return standing


def _say(voice: Voice, standing: Standing, at: datetime) -> Voice:
    said = [claim for item in standing.items for claim in _item_claims(standing, item, at)]
    return Voice(_from(at, voice.claims, said), standing)


_ABSENT = {
    SubscriptionStatus.INCOMPLETE: Reason.INCOMPLETE,
    SubscriptionStatus.UNPAID: Reason.UNPAID,
    SubscriptionStatus.PAUSED: Reason.PAUSED,
    SubscriptionStatus.CANCELED: Reason.SUBSCRIPTION_ENDED,
    SubscriptionStatus.INCOMPLETE_EXPIRED: Reason.SUBSCRIPTION_ENDED,
}


def _item_claims(standing: Standing, item: SubscriptionItem, at: datetime) -> Iterator[Claim]:
    """What an item says from `at` on: access, then the reason why it stops."""
    source, reason, end, after = _access(standing, item)
    if standing.cancel_at is not None and (end is None or standing.cancel_at <= end):
        end, after = standing.cancel_at, Reason.SUBSCRIPTION_ENDED
    absent = _ABSENT.get(standing.status)
    if absent is not None:
        end, after = at, absent
    given = Claim(
        source=source,
        item=item.provider_id,
        reason=reason,
        terms=item.terms,
        start=at,
        end=end,
    )
    if end is None or end > at:
        yield given
    if end is not None:
        yield replace(given, reason=after, gives=False, start=max(at, end), end=None)


def _access(
    standing: Standing, item: SubscriptionItem
) -> tuple[Source, Reason, datetime | None, Reason]:
    match standing.status:
        case SubscriptionStatus.TRIALING:
            return Source.TRIAL, Reason.TRIAL, standing.trial_end, Reason.TRIAL_ENDED
        case SubscriptionStatus.PAST_DUE if standing.past_due_since is not None:
            end = standing.past_due_since + timedelta(days=item.grace_days)
            return Source.PLAN, Reason.PAST_DUE_GRACE, end, Reason.GRACE_ENDED
    # A renewal is heard of a little late: the paid period's end alone would open a hole.
    leeway = timedelta(hours=item.leeway_hours)
    end_of_period = item.period.end + leeway if item.period else None
    return Source.PLAN, Reason.PLAN, end_of_period, Reason.PERIOD_ENDED


_EFFECTS = {
    GrantEffect.GRANT: (Source.GRANT, Reason.GRANT),
    GrantEffect.OVERRIDE: (Source.OVERRIDE, Reason.OVERRIDE),
    GrantEffect.BLOCK: (Source.BLOCK, Reason.BLOCKED),
    GrantEffect.DENY: (Source.BLOCK, Reason.DENIED),
}


def _granted(given: GrantGiven) -> Iterator[Claim]:
    source, reason = _EFFECTS[given.effect]
    claim = Claim(
        source=source,
        item="",
        reason=reason,
        terms=(given.term,),
        start=given.starts_at,
        end=given.expires_at,
        gives=source is not Source.BLOCK,
        denies=given.effect is GrantEffect.DENY,
    )
    if given.expires_at is not None and given.expires_at <= given.starts_at:
        return
    yield claim
    if given.expires_at is not None:
        yield from _lapsed(claim, given.expires_at, Reason.GRANT_EXPIRED)


def _revoked(voice: Voice, at: datetime) -> Voice:
    claim = next(iter(voice.claims), None)
    if claim is None or (claim.end is not None and claim.end <= at):
        return voice
    if claim.start >= at:
        return Voice(())
    cut = replace(claim, end=at)
    return Voice((cut, *_lapsed(cut, at, Reason.GRANT_REVOKED)))


def _lapsed(claim: Claim, at: datetime, reason: Reason) -> Iterator[Claim]:
    """Why a gift is missing from `at` on; a block that ends leaves nothing to explain."""
    if claim.gives:
        yield replace(claim, reason=reason, gives=False, start=at, end=None)


def _from(at: datetime, before: tuple[Claim, ...], said: Iterable[Claim]) -> tuple[Claim, ...]:
    """What was said before for earlier times, then what is said now; equal neighbours are one."""
    kept = [claim for claim in before if claim.start < at]
    kept = [
        claim if claim.end is not None and claim.end <= at else replace(claim, end=at)
        for claim in kept
    ]
    for claim in said:
        place = next((n for n, earlier in enumerate(kept) if earlier.joins(claim)), None)
        if place is None:
            kept.append(claim)
        else:
            kept[place] = replace(kept[place], end=claim.end)
    return tuple(sorted(kept, key=lambda claim: (claim.start, claim.item, claim.reason)))
