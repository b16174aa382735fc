"""Customers, as documents."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Self
from uuid import UUID

from pydantic import Field

from api.schemas.base import Asked, Name, Told
from projections.customers import Customer, CustomerLink


class CustomerToRegister(Asked):
    """A customer to bring into the project."""

    external_id: Name | None = Field(
        None, description="Your own user id; it is accepted wherever a customer's id is."
    )


class RegisteredCustomer(Told):
    """A customer just registered; give `position` as `min_position` to read it at once."""

    id: UUID
    external_id: str | None
    position: int


class ProviderName(Told):
    """A name a customer has at a payment provider."""

    provider: str
    account: str
    livemode: bool
    id: str
    linked_at: datetime
    closed_at: datetime | None


class CustomerDetails(Told):
    """Who pays."""

    id: UUID
    external_id: str | None
    registered_at: datetime
    providers: list[ProviderName]
    position: int

    @classmethod
    def of(cls, customer: Customer, links: Sequence[CustomerLink]) -> Self:
        return cls(
            id=customer.id,
            external_id=customer.external_id,
            registered_at=customer.registered_at,
            providers=[
                ProviderName(
                    provider=link.provider,
                    account=link.account,
                    livemode=link.livemode,
                    id=link.provider_id,
                    linked_at=link.linked_at,
                    closed_at=link.closed_at,
                )
                for link in links
            ],
            position=customer.position,
        )
