"""Deadlines: what ends by itself and has to be recorded when it does."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from msgspec.structs import replace

from ledger.events.base import Event, RecordedEvent
from ledger.events.grant import GrantExpired, GrantGiven, GrantRevoked
from ledger.events.subscription import (
    SubscriptionActivated,
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
from projections.base import Batch, Projection, Tables, fold
from projections.table import Database, ReadRow, Table


class DeadlineKind(StrEnum):
    """What comes to its end."""

    TRIAL_END = "trial_end"
    GRACE_END = "grace_end"
    GRANT_EXPIRY = "grant_expiry"


class Deadline(ReadRow, frozen=True):
    """The next thing that ends by itself in a stream; nothing is due while `due_at` is empty.

    `grace_days` is the longest of a subscription's items, `since` when it became past due.
    """

    bucket: int
    stream: UUID
    project: UUID
    owner: UUID
    kind: DeadlineKind
    due_at: datetime | None
    grace_days: int
    since: datetime | None
    position: int


DEADLINE: Final = Table(
    "deadline",
    Deadline,
    {
        "bucket": "smallint NOT NULL",
        "stream": "uuid NOT NULL",
        "project": "uuid NOT NULL",
        "owner": "uuid NOT NULL",
        "kind": "text NOT NULL",
        "due_at": "timestamptz",
        "grace_days": "integer NOT NULL",
        "since": "timestamptz",
        "position": "bigint NOT NULL",
    },
    key=("bucket", "stream"),
    indexes=("(due_at, bucket, stream) WHERE due_at IS NOT NULL",),
    kinds={"kind": DeadlineKind},
)

_OVER: Final = (SubscriptionEnded, GrantRevoked, GrantExpired)
_RECORDED: Final = (SubscriptionGraceEnded, SubscriptionTrialEnded)
_NOTHING_ENDS: Final = (
    SubscriptionActivated,
    SubscriptionIncomplete,
    SubscriptionPaused,
    SubscriptionUnpaid,
)


def _step(row: Deadline | None, recorded: RecordedEvent) -> Deadline | None:
    event = recorded.event
    match event:
        case GrantGiven(expires_at=expires_at):
            if expires_at is None:
                return row
            return _begun(recorded, DeadlineKind.GRANT_EXPIRY, expires_at)
        case SubscriptionStarted():
            return _started(recorded, event)
    if row is None or isinstance(event, _OVER):
        return None
    return replace(_changed(row, event), position=recorded.position)


def _started(recorded: RecordedEvent, event: SubscriptionStarted) -> Deadline:
    row = _begun(recorded, DeadlineKind.GRACE_END, None)
    row = replace(row, grace_days=_longest(event.items))
    if event.status is SubscriptionStatus.TRIALING:
        return replace(row, kind=DeadlineKind.TRIAL_END, due_at=event.trial_end)
    if event.status is SubscriptionStatus.PAST_DUE:
        return _past_due(row, recorded.effective_at)
    return row


def _changed(row: Deadline, event: Event) -> Deadline:
    match event:
        case SubscriptionItemsChanged(items=items) | SubscriptionPeriodAdvanced(items=items):
            row = replace(row, grace_days=_longest(items))
            return row if row.since is None else _past_due(row, row.since)
        case SubscriptionTrialStarted(trial_end=end):
            return replace(row, kind=DeadlineKind.TRIAL_END, due_at=end, since=None)
        case SubscriptionTrialChanged(trial_end=end) if row.kind is DeadlineKind.TRIAL_END:
            return replace(row, due_at=end)
        case SubscriptionPastDue(since=since):
            return _past_due(row, since)
    if isinstance(event, _RECORDED):
        return replace(row, due_at=None, since=None)
    if isinstance(event, _NOTHING_ENDS):
        return replace(row, kind=DeadlineKind.GRACE_END, due_at=None, since=None)
    return row


def _past_due(row: Deadline, since: datetime) -> Deadline:
    due_at = since + timedelta(days=row.grace_days)
    return replace(row, kind=DeadlineKind.GRACE_END, due_at=due_at, since=since)


def _longest(items: tuple[SubscriptionItem, ...]) -> int:
    return max((item.grace_days for item in items), default=0)


def _begun(recorded: RecordedEvent, kind: DeadlineKind, due_at: datetime | None) -> Deadline:
    return Deadline(
        bucket=recorded.bucket,
        stream=recorded.stream,
        project=recorded.project,
        owner=recorded.owner,
        kind=kind,
        due_at=due_at,
        grace_days=0,
        since=None,
        position=recorded.position,
    )


def _apply(tables: Tables, batch: Batch) -> None:
    fold(tables, DEADLINE, batch, _step)


DEADLINES: Final = Projection(
    name="deadlines",
    version=1,
    tables=(DEADLINE,),
    listens=frozenset(
        {
            GrantGiven,
            SubscriptionItemsChanged,
            SubscriptionPastDue,
            SubscriptionPeriodAdvanced,
            SubscriptionStarted,
            SubscriptionTrialChanged,
            SubscriptionTrialStarted,
            *_NOTHING_ENDS,
            *_OVER,
            *_RECORDED,
        }
    ),
    apply=_apply,
)


def due(connection: Database, now: datetime, limit: int) -> list[Deadline]:
    """What has come to its end by now and is not recorded yet, the longest overdue first."""
    return DEADLINE.select(
        connection, "WHERE due_at <= %s ORDER BY due_at, bucket, stream LIMIT %s", (now, limit)
    )
