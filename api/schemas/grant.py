"""Grants, as documents."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, Self
from uuid import UUID

from pydantic import Field, StrictBool, model_validator

from api.schemas.base import Asked, Identifier, Instant, Name, Told
from api.schemas.value import Document, Value, told
from ledger.events.catalog import FeatureKind
from ledger.events.grant import GrantEffect
from projections.grants import Grant


class GrantToGive(Asked):
    """What a customer is given beside, or instead of, what its plans give."""

    customer: Name
    feature: Name
    effect: Literal["grant", "override"] = Field(
        "grant", description="A grant merges with plans; an override replaces them."
    )
    value: Value = True
    starts_at: Instant | None = None
    expires_at: Instant | None = None
    reason: Name


class Revocation(Asked):
    """A grant to take back by its id; or a customer's feature to block, whatever gives it."""

    grant: Identifier | None = None
    customer: Name | None = None
    feature: Name | None = None
    deny: StrictBool = Field(
        False, description="A block leaves manual grants alone; a denial takes everything."
    )
    expires_at: Instant | None = Field(None, description="When a block ends by itself.")
    reason: Name

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        blocking = self.customer is not None and self.feature is not None
        anything = self.customer is not None or self.feature is not None
        if (self.grant is not None) == anything or anything != blocking:
            raise ValueError("name a grant, or a customer and a feature")
        if self.grant is not None and (self.deny or self.expires_at is not None):
            raise ValueError("deny and expires_at belong to a customer and a feature")
        return self


class GivenGrant(Told):
    """A grant or block just given or taken back."""

    id: UUID
    customer: UUID
    position: int


class GrantDetails(Told):
    """An operator's own decision about what a customer may use."""

    id: UUID
    customer: UUID
    feature: str
    effect: GrantEffect
    kind: FeatureKind
    value: bool | int | str | Document | None
    starts_at: datetime
    expires_at: datetime | None
    reason: str
    given_by: str
    given_at: datetime
    revoked_at: datetime | None
    revoked_by: str | None
    revoke_reason: str | None
    expired: bool
    position: int

    @classmethod
    def of(cls, row: Grant) -> Self:
        return cls(
            id=row.id,
            customer=row.customer,
            feature=row.feature,
            effect=row.effect,
            kind=row.term.feature.kind,
            value=told(row.term.feature.kind, row.term.value),
            starts_at=row.starts_at,
            expires_at=row.expires_at,
            reason=row.reason,
            given_by=row.given_by,
            given_at=row.given_at,
            revoked_at=row.revoked_at,
            revoked_by=row.revoked_by,
            revoke_reason=row.revoke_reason,
            expired=row.expired,
            position=row.position,
        )
