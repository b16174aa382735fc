"""Subscriptions: what a provider's statements and our own clock change about an agreement."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from ledger.errors import NotFound
from ledger.events.base import Decided, Event, Happening
from ledger.events.subscription import (
    ENDED_STATUSES,
    SubscriptionActivated,
    SubscriptionCancelScheduled,
    SubscriptionCancelUnscheduled,
    SubscriptionCollectionPaused,
    SubscriptionCollectionResumed,
    SubscriptionConfirmed,
    SubscriptionEnded,
    SubscriptionGraceEnded,
    SubscriptionIncomplete,
    SubscriptionItem,
    SubscriptionItemsChanged,
    SubscriptionPastDue,
    SubscriptionPaused,
    SubscriptionPeriodAdvanced,
    SubscriptionStarted,
    SubscriptionStatus,
    SubscriptionTrialChanged,
    SubscriptionTrialEnded,
    SubscriptionTrialStarted,
    SubscriptionUnpaid,
)
from ledger.facts import ProviderAccount, SubscriptionFact
from ledger.ids import bucket_in, derived_id


def subscription_id(customer: UUID, account: ProviderAccount, provider_id: str) -> UUID:
    """The id of a customer's subscription at a provider."""
    return derived_id(bucket_in(customer), "subscription", *account.parts(provider_id))


@dataclass(frozen=True, slots=True)
class Subscription:
    """A subscription as its events leave it; `heard_at` is the provider's time of the last news."""

    customer: UUID
    status: SubscriptionStatus
    items: tuple[SubscriptionItem, ...]
    heard_at: datetime
    trial_end: datetime | None = None
    trial_over: bool = False
    past_due_since: datetime | None = None
    grace_over: bool = False
    cancel: tuple[datetime, bool] | None = None
    collection_paused: bool = False

    @property
    def ended(self) -> bool:
        return self.status in ENDED_STATUSES

    @property
    def grace_end(self) -> datetime | None:
        """When the last item's grace of a past-due subscription runs out."""
        if self.past_due_since is None or not self.items:
            return None
        days = max(item.grace_days for item in self.items)
        return self.past_due_since + timedelta(days=days)


def evolve(state: Subscription | None, happened: Happening) -> Subscription:
    event, at = happened.event, happened.effective_at
    if isinstance(event, SubscriptionStarted):
        return Subscription(event.customer, event.status, event.items, at, event.trial_end)
    if state is None:
        raise NotFound("subscription", "without a beginning")
    if isinstance(event, SubscriptionTrialEnded):
        return replace(state, trial_over=True)
    if isinstance(event, SubscriptionGraceEnded):
        return replace(state, grace_over=True)
    return _evolve_heard(replace(state, heard_at=max(at, state.heard_at)), event)


def _evolve_heard(state: Subscription, event: Event) -> Subscription:
    match event:
        case SubscriptionItemsChanged(items=items) | SubscriptionPeriodAdvanced(items=items):
            return replace(state, items=items)
        case SubscriptionTrialStarted(trial_end=end):
            return replace(_stand(state, SubscriptionStatus.TRIALING), trial_end=end)
        case SubscriptionTrialChanged(trial_end=end):
            return replace(state, trial_end=end, trial_over=False)
        case SubscriptionPastDue(since=since):
            past_due = _stand(state, SubscriptionStatus.PAST_DUE)
            return replace(past_due, past_due_since=since)
        case SubscriptionCancelScheduled(at=at, at_period_end=at_period_end):
            return replace(state, cancel=(at, at_period_end))
        case SubscriptionCancelUnscheduled():
            return replace(state, cancel=None)
        case SubscriptionCollectionPaused():
            return replace(state, collection_paused=True)
        case SubscriptionCollectionResumed():
            return replace(state, collection_paused=False)
        case SubscriptionEnded(status=status):
            return _stand(state, status)
    after = _STATUS_AFTER.get(type(event))
    return _stand(state, after) if after else state


_STATUS_AFTER = {
    SubscriptionActivated: SubscriptionStatus.ACTIVE,
    SubscriptionUnpaid: SubscriptionStatus.UNPAID,
    SubscriptionIncomplete: SubscriptionStatus.INCOMPLETE,
    SubscriptionPaused: SubscriptionStatus.PAUSED,
}


def _stand(state: Subscription, status: SubscriptionStatus) -> Subscription:
    return replace(state, status=status, trial_over=False, past_due_since=None, grace_over=False)


def observe(
    state: Subscription | None,
    fact: SubscriptionFact,
    *,
    customer: UUID,
    items: tuple[SubscriptionItem, ...],
) -> tuple[Decided, ...]:
    """What a provider's statement changes, compared with what we last knew.

    An ended subscription stays ended; older statements, and the statement of a creation that is
    known already, change nothing. A newer statement without news is confirmed, so that what lies
    between it and the last news is known to be old.
    """
    if state is None:
        return _start(fact, customer, items)
    if state.ended or fact.observed_at < state.heard_at:
        return ()
    if fact.first and fact.observed_at == state.heard_at:
        return ()
    if fact.status in ENDED_STATUSES:
        return (_ended(fact),)
    news = (
        *_items_news(state, fact, items),
        *_status_news(state, fact),
        *_schedule_news(state, fact, items),
    )
    heard_at = max((decided.effective_at for decided in news), default=state.heard_at)
    if heard_at < fact.observed_at:
        return (*news, Decided(SubscriptionConfirmed(), fact.observed_at))
    return news


def _start(
    fact: SubscriptionFact, customer: UUID, items: tuple[SubscriptionItem, ...]
) -> tuple[Decided, ...]:
    ended = fact.status in ENDED_STATUSES
    # A subscription first heard of at its end gave no access that we know of.
    status = SubscriptionStatus.INCOMPLETE if ended else fact.status
    started = SubscriptionStarted(
        customer=customer,
        provider_id=fact.provider_id,
        status=status,
        items=items,
        began_at=fact.started_at,
        trial_end=fact.trial_end,
    )
    first = Decided(started, fact.started_at if ended else fact.observed_at)
    if ended:
        return (first, _ended(fact))
    state = evolve(None, first)
    past_due = Decided(SubscriptionPastDue(since=fact.observed_at), fact.observed_at)
    standing = (past_due,) if status is SubscriptionStatus.PAST_DUE else ()
    return (first, *standing, *_schedule_news(state, fact, items))


def _ended(fact: SubscriptionFact) -> Decided:
    ended = SubscriptionEnded(status=fact.status, reason=fact.end_reason)
    return Decided(ended, fact.ended_at or fact.observed_at)


def _status_news(state: Subscription, fact: SubscriptionFact) -> Iterator[Decided]:
    at = fact.observed_at
    trialing = SubscriptionStatus.TRIALING
    if fact.status is state.status:
        if fact.status is trialing and fact.trial_end != state.trial_end:
            yield Decided(SubscriptionTrialChanged(trial_end=fact.trial_end), at)
        return
    match fact.status:
        case SubscriptionStatus.TRIALING:
            yield Decided(SubscriptionTrialStarted(trial_end=fact.trial_end), at)
        case SubscriptionStatus.ACTIVE:
            yield Decided(SubscriptionActivated(), _activated_at(state, fact))
        case SubscriptionStatus.PAST_DUE:
            yield Decided(SubscriptionPastDue(since=at), at)
        case SubscriptionStatus.UNPAID:
            yield Decided(SubscriptionUnpaid(), at)
        case SubscriptionStatus.PAUSED:
            yield Decided(SubscriptionPaused(reason=fact.pause_reason), at)
        case SubscriptionStatus.INCOMPLETE:
            yield Decided(SubscriptionIncomplete(), at)


def _activated_at(state: Subscription, fact: SubscriptionFact) -> datetime:
    # A conversion is told a little after the trial's end; access knows no hole between the two.
    trial_end = fact.trial_end or state.trial_end
    if state.status is SubscriptionStatus.TRIALING and trial_end is not None:
        return min(trial_end, fact.observed_at)
    return fact.observed_at


def _items_news(
    state: Subscription, fact: SubscriptionFact, items: tuple[SubscriptionItem, ...]
) -> Iterator[Decided]:
    if items == state.items:
        return
    if _without_periods(items) == _without_periods(state.items):
        yield Decided(SubscriptionPeriodAdvanced(items=items), fact.observed_at)
        return
    yield Decided(SubscriptionItemsChanged(items=items), fact.observed_at)


def _without_periods(items: tuple[SubscriptionItem, ...]) -> tuple[SubscriptionItem, ...]:
    return tuple(replace(item, period=None) for item in items)


def _schedule_news(
    state: Subscription, fact: SubscriptionFact, items: tuple[SubscriptionItem, ...]
) -> Iterator[Decided]:
    cancel = _scheduled_end(fact, items)
    if cancel != state.cancel:
        yield Decided(
            SubscriptionCancelScheduled(at=cancel[0], at_period_end=cancel[1])
            if cancel
            else SubscriptionCancelUnscheduled(),
            fact.observed_at,
        )
    if fact.collection_paused != state.collection_paused:
        yield Decided(
            SubscriptionCollectionPaused()
            if fact.collection_paused
            else SubscriptionCollectionResumed(),
            fact.observed_at,
        )


def _scheduled_end(
    fact: SubscriptionFact, items: tuple[SubscriptionItem, ...]
) -> tuple[datetime, bool] | None:
    if fact.cancel_at is not None:
        return fact.cancel_at, fact.cancel_at_period_end
    ends = [item.period.end for item in items if item.period is not None]
    if fact.cancel_at_period_end and ends:
        return max(ends), True
    return None


def end_trial(state: Subscription, now: datetime) -> tuple[Decided, ...]:
    """The trial's end, when it is due and nothing has been heard since; exactly once."""
    due = state.trial_end
    if state.status is not SubscriptionStatus.TRIALING or state.trial_over:
        return ()
    if due is None or due > now:
        return ()
    return (Decided(SubscriptionTrialEnded(trial_end=due), due),)


def end_grace(state: Subscription, now: datetime) -> tuple[Decided, ...]:
    """The grace's end, when it is due and the subscription is still past due; exactly once."""
    due = state.grace_end
    if state.status is not SubscriptionStatus.PAST_DUE or state.grace_over:
        return ()
    if due is None or due > now:
        return ()
    return (Decided(SubscriptionGraceEnded(grace_end=due), due),)
