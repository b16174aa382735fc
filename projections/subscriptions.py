"""Subscriptions as they stand, with their items."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from msgspec.structs import replace

from ledger.events.base import Event, RecordedEvent
from ledger.events.subscription import (
    ENDED_STATUSES,
    SubscriptionActivated,
    SubscriptionCancelScheduled,
    SubscriptionCancelUnscheduled,
    SubscriptionCollectionPaused,
    SubscriptionCollectionResumed,
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
from ledger.ids import bucket_in
from projections.base import Batch, Projection, Tables, fold
from projections.table import Database, ReadRow, Table


class Subscription(ReadRow, frozen=True):
    """An agreement; `grace_until` is when the last item's grace of a past-due one runs out."""

    bucket: int
    id: UUID
    project: UUID
    customer: UUID
    provider_id: str
    status: SubscriptionStatus
    items: tuple[SubscriptionItem, ...]
    started_at: datetime
    trial_end: datetime | None
    cancel_at: datetime | None
    cancel_at_period_end: bool
    collection_paused: bool
    past_due_since: datetime | None
    grace_until: datetime | None
    ended_at: datetime | None
    end_reason: str | None
    position: int


SUBSCRIPTION: Final = Table(
    "subscription",
    Subscription,
    {
        "bucket": "smallint NOT NULL",
        "id": "uuid NOT NULL",
        "project": "uuid NOT NULL",
        "customer": "uuid NOT NULL",
        "provider_id": "text NOT NULL",
        "status": "text NOT NULL",
        "items": "jsonb NOT NULL",
        "started_at": "timestamptz NOT NULL",
        "trial_end": "timestamptz",
        "cancel_at": "timestamptz",
        "cancel_at_period_end": "boolean NOT NULL",
        "collection_paused": "boolean NOT NULL",
        "past_due_since": "timestamptz",
        "grace_until": "timestamptz",
        "ended_at": "timestamptz",
        "end_reason": "text",
        "position": "bigint NOT NULL",
    },
    key=("bucket", "id"),
    indexes=("(bucket, customer)", "(project, id)", "(provider_id)"),
    documents={"items": tuple[SubscriptionItem, ...]},
    kinds={"status": SubscriptionStatus},
)

_STATUS_AFTER: Final[dict[type[Event], SubscriptionStatus]] = {
    SubscriptionActivated: SubscriptionStatus.ACTIVE,
    SubscriptionIncomplete: SubscriptionStatus.INCOMPLETE,
    SubscriptionPaused: SubscriptionStatus.PAUSED,
    SubscriptionUnpaid: SubscriptionStatus.UNPAID,
}


def _step(row: Subscription | None, recorded: RecordedEvent) -> Subscription | None:
    event = recorded.event
    if isinstance(event, SubscriptionStarted):
        return _started(event, recorded)
    if row is None:
        return None
    return replace(_changed(row, event, recorded.effective_at), position=recorded.position)


def _started(event: SubscriptionStarted, recorded: RecordedEvent) -> Subscription:
    return Subscription(
        bucket=recorded.bucket,
        id=recorded.stream,
        project=recorded.project,
        customer=event.customer,
        provider_id=event.provider_id,
        status=event.status,
        items=event.items,
        started_at=event.began_at,
        trial_end=event.trial_end,
        cancel_at=None,
        cancel_at_period_end=False,
        collection_paused=False,
        past_due_since=None,
        grace_until=None,
        ended_at=None,
        end_reason=None,
        position=recorded.position,
    )


def _changed(row: Subscription, event: Event, at: datetime) -> Subscription:
    match event:
        case SubscriptionItemsChanged(items=items) | SubscriptionPeriodAdvanced(items=items):
            return _graced(replace(row, items=items))
        case SubscriptionTrialStarted(trial_end=end):
            return replace(_standing(row, SubscriptionStatus.TRIALING), trial_end=end)
        case SubscriptionTrialChanged(trial_end=end):
            return replace(row, trial_end=end)
        case SubscriptionPastDue(since=since):
            past_due = _standing(row, SubscriptionStatus.PAST_DUE)
            return _graced(replace(past_due, past_due_since=since))
        case SubscriptionCancelScheduled(at=cancel_at, at_period_end=at_period_end):
            return replace(row, cancel_at=cancel_at, cancel_at_period_end=at_period_end)
        case SubscriptionCancelUnscheduled():
            return replace(row, cancel_at=None, cancel_at_period_end=False)
        case SubscriptionCollectionPaused() | SubscriptionCollectionResumed():
            return replace(row, collection_paused=isinstance(event, SubscriptionCollectionPaused))
        case SubscriptionEnded(status=status, reason=reason):
            return replace(_standing(row, status), ended_at=at, end_reason=reason)
    return _standing(row, _STATUS_AFTER[type(event)])


def _standing(row: Subscription, status: SubscriptionStatus) -> Subscription:
    return replace(row, status=status, past_due_since=None, grace_until=None)


def _graced(row: Subscription) -> Subscription:
    if row.past_due_since is None or not row.items:
        return row
    days = max(item.grace_days for item in row.items)
    return replace(row, grace_until=row.past_due_since + timedelta(days=days))


def _apply(tables: Tables, batch: Batch) -> None:
    fold(tables, SUBSCRIPTION, batch, _step)


SUBSCRIPTIONS: Final = Projection(
    name="subscriptions",
    version=1,
    tables=(SUBSCRIPTION,),
    listens=frozenset(
        {
            SubscriptionCancelScheduled,
            SubscriptionCancelUnscheduled,
            SubscriptionCollectionPaused,
            SubscriptionCollectionResumed,
            SubscriptionEnded,
            SubscriptionItemsChanged,
            SubscriptionPastDue,
            SubscriptionPeriodAdvanced,
            SubscriptionStarted,
            SubscriptionTrialChanged,
            SubscriptionTrialStarted,
            *_STATUS_AFTER,
        }
    ),
    apply=_apply,
)


def by_id(connection: Database, project: UUID, subscription: UUID) -> Subscription | None:
    """A subscription of this project."""
    found = SUBSCRIPTION.select(
        connection,
        "WHERE bucket = %s AND id = %s AND project = %s",
        (bucket_in(subscription), subscription, project),
    )
    return found[0] if found else None


def of_customer(
    connection: Database, project: UUID, customer: UUID, *, ended: bool = True
) -> list[Subscription]:
    """A customer's subscriptions in the order they began; without those that have ended, if so."""
    hidden = [] if ended else sorted(ENDED_STATUSES)
    return SUBSCRIPTION.select(
        connection,
        "WHERE bucket = %s AND customer = %s AND project = %s AND status <> ALL(%s) "
        "ORDER BY started_at, id",
        (bucket_in(customer), customer, project, hidden),
    )


def page(
    connection: Database,
    project: UUID,
    *,
    limit: int,
    after: UUID | None = None,
    status: SubscriptionStatus | None = None,
) -> list[Subscription]:
    """Subscriptions of a project by id, beyond `after`, of one status or of any."""
    return SUBSCRIPTION.select(
        connection,
        "WHERE project = %s AND id > %s AND (%s::text IS NULL OR status = %s) ORDER BY id LIMIT %s",
        (project, after or UUID(int=0), status, status, limit),
    )
