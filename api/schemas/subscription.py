"""Subscriptions, as documents."""

from __future__ import annotations

from datetime import datetime
from typing import Self
from uuid import UUID

from api.schemas.base import Amount, Told
from ledger.events.subscription import SubscriptionItem, SubscriptionStatus
from ledger.period import Unit
from projections.subscriptions import Subscription


class BillingInterval(Told):
    """How often a price recurs: every `count` units."""

    unit: Unit
    count: int


class SubscribedItem(Told):
    """One price of a subscription; no amount means tiers, no interval means once."""

    plan: str
    plan_version: int
    price: UUID
    quantity: int
    amount: Amount | None
    interval: BillingInterval | None
    period_start: datetime | None
    period_end: datetime | None

    @classmethod
    def of(cls, item: SubscriptionItem) -> Self:
        interval, period = item.interval, item.period
        return cls(
            plan=item.plan,
            plan_version=item.plan_version,
            price=item.price,
            quantity=item.quantity,
            amount=Amount.of(item.amount) if item.amount else None,
            interval=BillingInterval(unit=interval.unit, count=interval.count)
            if interval
            else None,
            period_start=period.start if period else None,
            period_end=period.end if period else None,
        )


class SubscriptionDetails(Told):
    """An agreement a customer pays for over time."""

    id: UUID
    customer: UUID
    provider_id: str
    status: SubscriptionStatus
    items: list[SubscribedItem]
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

    @classmethod
    def of(cls, row: Subscription) -> Self:
        return cls(
            id=row.id,
            customer=row.customer,
            provider_id=row.provider_id,
            status=row.status,
            items=[SubscribedItem.of(item) for item in row.items],
            started_at=row.started_at,
            trial_end=row.trial_end,
            cancel_at=row.cancel_at,
            cancel_at_period_end=row.cancel_at_period_end,
            collection_paused=row.collection_paused,
            past_due_since=row.past_due_since,
            grace_until=row.grace_until,
            ended_at=row.ended_at,
            end_reason=row.end_reason,
            position=row.position,
        )
