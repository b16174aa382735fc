"""Grants: an operator's own decisions about what a customer may use."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from ledger.events.base import Event, event
from ledger.events.catalog import FeatureTerm


class GrantEffect(StrEnum):
    """How a grant meets the other sources of its feature."""

    GRANT = "grant"  # merges with plans by the feature's rule
    OVERRIDE = "override"  # replaces what plans and grants say
    BLOCK = "block"  # takes away what plans give; manual grants stay
    DENY = "deny"  # takes everything away


@event
class GrantGiven(Event):
    """An operator granted, overrode, blocked or denied a feature; no end means until revoked."""

    NAME: ClassVar[str] = "grant.given"
    customer: UUID
    effect: GrantEffect
    term: FeatureTerm
    starts_at: datetime
    expires_at: datetime | None
    reason: str


@event
class GrantRevoked(Event):
    """A grant was taken back before its time."""

    NAME: ClassVar[str] = "grant.revoked"
    reason: str


@event
class GrantExpired(Event):
    """A grant's end came due by our clock."""

    NAME: ClassVar[str] = "grant.expired"
    expires_at: datetime
