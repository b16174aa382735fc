"""Entitlements, as documents."""

from __future__ import annotations

from datetime import datetime
from typing import Self
from uuid import UUID

from pydantic import Field

from api.schemas.base import Told
from api.schemas.value import Document, told
from ledger.events.catalog import FeatureKind
from ledger.rules.entitlement import Reason, Source
from projections.entitlements import Entitlement


class CheckedEntitlement(Told):
    """Whether a customer may use a feature; give `position` as `min_position` to read no older."""

    allowed: bool
    kind: FeatureKind | None = Field(description="What the value is; null when nobody gave it.")
    value: bool | int | str | Document | None = Field(
        description="Of a limit, null is unlimited when allowed; of a config, the document."
    )
    reason: Reason
    source: Source | None
    valid_until: datetime | None = Field(description="When this answer may change by itself.")
    position: int
    as_of: datetime
    feature: str
    customer: UUID

    @classmethod
    def of(cls, customer: UUID, entitlement: Entitlement) -> Self:
        return cls(
            allowed=entitlement.allowed,
            kind=entitlement.kind,
            value=told(entitlement.kind, entitlement.value),
            reason=entitlement.reason,
            source=entitlement.source,
            valid_until=entitlement.valid_until,
            position=entitlement.position,
            as_of=entitlement.as_of,
            feature=entitlement.feature,
            customer=customer,
        )


class CustomerEntitlements(Told):
    """Everything a customer may use, or once might; a feature nobody spoke of is not allowed."""

    customer: UUID
    as_of: datetime
    position: int
    data: list[CheckedEntitlement]
