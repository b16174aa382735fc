"""Subscriptions: the agreements customers pay for over time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from ledger.events.base import Event, event
from ledger.events.catalog import FeatureTerm
from ledger.money import Money
from ledger.period import Interval, Period


class SubscriptionStatus(StrEnum):
    """Where a subscription stands."""

    INCOMPLETE = "incomplete"  # the first payment has not succeeded yet
    TRIALING = "trialing"
    ACTIVE = "active"
    PAST_DUE = "past_due"  # a renewal payment failed and is being retried
    UNPAID = "unpaid"  # retries are over, the agreement is kept
    PAUSED = "paused"  # a trial ended without a card, or a pause was asked for
    CANCELED = "canceled"
    INCOMPLETE_EXPIRED = "incomplete_expired"  # the first payment never succeeded


ENDED_STATUSES = frozenset({SubscriptionStatus.CANCELED, SubscriptionStatus.INCOMPLETE_EXPIRED})


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionItem:
    """One price of a subscription with its quantity, current period and the plan terms it pins.

    The terms are those of the plan's version when the item took its price, so that a later change
    of the catalog never rewrites what a customer bought.
    """

    provider_id: str
    price: UUID
    plan: str
    plan_version: int
    terms: tuple[FeatureTerm, ...]
    grace_days: int
    leeway_hours: int
    amount: Money | None
    interval: Interval | None
    quantity: int
    period: Period | None


@event
class SubscriptionStarted(Event):
    """A subscription was first heard of, in this status; `began_at` is when it was made."""

    NAME: ClassVar[str] = "subscription.started"
    customer: UUID
    provider_id: str
    status: SubscriptionStatus
    items: tuple[SubscriptionItem, ...]
    began_at: datetime
    trial_end: datetime | None


@event
class SubscriptionTrialStarted(Event):
    """A subscription went (back) into trial."""

    NAME: ClassVar[str] = "subscription.trial_started"
    trial_end: datetime | None


@event
class SubscriptionActivated(Event):
    """A subscription is in good standing: first paid, converted from trial, or recovered."""

    NAME: ClassVar[str] = "subscription.activated"


@event
class SubscriptionPastDue(Event):
    """A renewal payment failed; `since` is the first failure of this run."""

    NAME: ClassVar[str] = "subscription.past_due"
    since: datetime


@event
class SubscriptionUnpaid(Event):
    """Payment was given up while the agreement is kept."""

    NAME: ClassVar[str] = "subscription.unpaid"


@event
class SubscriptionIncomplete(Event):
    """A subscription waits for its first payment."""

    NAME: ClassVar[str] = "subscription.incomplete"


@event
class SubscriptionPaused(Event):
    """A subscription stands still and gives no access."""

    NAME: ClassVar[str] = "subscription.paused"
    reason: str | None


@event
class SubscriptionEnded(Event):
    """A subscription is over for ever; a new purchase is a new subscription."""

    NAME: ClassVar[str] = "subscription.ended"
    status: SubscriptionStatus
    reason: str | None


@event
class SubscriptionItemsChanged(Event):
    """Prices or quantities of a subscription changed: an upgrade, a downgrade, more seats."""

    NAME: ClassVar[str] = "subscription.items_changed"
    items: tuple[SubscriptionItem, ...]


@event
class SubscriptionPeriodAdvanced(Event):
    """A new billing period began for one or more items; the items are otherwise the same."""

    NAME: ClassVar[str] = "subscription.period_advanced"
    items: tuple[SubscriptionItem, ...]


@event
class SubscriptionCancelScheduled(Event):
    """A subscription will end at `at`; a period-end cancel names the period's end."""

    NAME: ClassVar[str] = "subscription.cancel_scheduled"
    at: datetime
    at_period_end: bool


@event
class SubscriptionCancelUnscheduled(Event):
    """A scheduled end was taken back."""

    NAME: ClassVar[str] = "subscription.cancel_unscheduled"


@event
class SubscriptionTrialChanged(Event):
    """A trial was extended, shortened or dropped."""

    NAME: ClassVar[str] = "subscription.trial_changed"
    trial_end: datetime | None


@event
class SubscriptionTrialEnded(Event):
    """A trial's end came due by our clock."""

    NAME: ClassVar[str] = "subscription.trial_ended"
    trial_end: datetime


@event
class SubscriptionGraceEnded(Event):
    """The grace of a past-due subscription's last item came to its end by our clock."""

    NAME: ClassVar[str] = "subscription.grace_ended"
    grace_end: datetime


@event
class SubscriptionCollectionPaused(Event):
    """The provider stopped collecting while the subscription goes on."""

    NAME: ClassVar[str] = "subscription.collection_paused"


@event
class SubscriptionConfirmed(Event):
    """A newer statement said nothing new; what is older than it says nothing any more."""

    NAME: ClassVar[str] = "subscription.confirmed"


@event
class SubscriptionCollectionResumed(Event):
    """The provider collects again."""

    NAME: ClassVar[str] = "subscription.collection_resumed"
