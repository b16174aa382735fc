"""Grants: an operator gives, overrides, blocks or denies a feature, with a reason and an end."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from ledger.errors import AlreadyExists, Ended, InvalidInput, NotFound
from ledger.events.base import Decided, Happening
from ledger.events.catalog import FeatureTerm
from ledger.events.grant import GrantEffect, GrantExpired, GrantGiven, GrantRevoked
from ledger.ids import bucket_in, derived_id


def grant_id(customer: UUID, key: str) -> UUID:
    """The id of the grant a customer gets under an idempotency key."""
    return derived_id(bucket_in(customer), str(customer), "grant", key)


@dataclass(frozen=True, slots=True)
class Grant:
    """A grant as its events leave it."""

    customer: UUID
    starts_at: datetime
    expires_at: datetime | None
    over: bool = False


def evolve(state: Grant | None, happened: Happening) -> Grant:
    event = happened.event
    if isinstance(event, GrantGiven):
        return Grant(event.customer, event.starts_at, event.expires_at)
    if state is None:
        raise NotFound("grant", "without a beginning")
    if isinstance(event, GrantRevoked | GrantExpired):
        return replace(state, over=True)
    return state


def give(
    state: Grant | None,
    *,
    customer: UUID,
    effect: GrantEffect,
    term: FeatureTerm,
    starts_at: datetime | None,
    expires_at: datetime | None,
    reason: str,
    now: datetime,
) -> tuple[Decided, ...]:
    """A new grant, from now unless it says when; it must have a reason and a future."""
    if state is not None:
        raise AlreadyExists("grant", "with this key")
    if not reason.strip():
        raise InvalidInput("reason", "a grant needs one")
    term.feature.check(term.value)
    start = starts_at or now
    if expires_at is not None and (expires_at <= start or expires_at <= now):
        raise InvalidInput("expires_at", "must lie after the start and in the future")
    given = GrantGiven(
        customer=customer,
        effect=effect,
        term=term,
        starts_at=start,
        expires_at=expires_at,
        reason=reason,
    )
    return (Decided(given, start),)


def revoke(state: Grant, *, reason: str, now: datetime) -> tuple[Decided, ...]:
    """The end of a grant, now; Ended when it is over already."""
    if not reason.strip():
        raise InvalidInput("reason", "a revocation needs one")
    if state.over or (state.expires_at is not None and state.expires_at <= now):
        raise Ended("grant", "given before")
    return (Decided(GrantRevoked(reason=reason), now),)


def expire(state: Grant, now: datetime) -> tuple[Decided, ...]:
    """The grant's own end, when it is due; exactly once."""
    due = state.expires_at
    if state.over or due is None or due > now:
        return ()
    return (Decided(GrantExpired(expires_at=due), due),)
