"""Customers: who pays."""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

from ledger.events.base import Event, event


@event
class CustomerRegistered(Event):
    """A customer came into a project; `external_id` is the micro-app's own user id."""

    NAME: ClassVar[str] = "customer.registered"
    external_id: str | None


@event
class CustomerIdentified(Event):
    """A customer's user id in the micro-apps became known."""

    NAME: ClassVar[str] = "customer.identified"
    external_id: str


@event
class CustomerLinked(Event):
    """A customer is known at a provider under this id."""

    NAME: ClassVar[str] = "customer.linked"
    provider: str
    account: str
    livemode: bool
    provider_id: str


@event
class CustomerClosed(Event):
    """The provider deleted the customer; nothing brings it back."""

    NAME: ClassVar[str] = "customer.closed"
    provider_id: str


@event
class CheckoutCompleted(Event):
    """A customer went through a provider's checkout; `paid` says whether money has moved."""

    NAME: ClassVar[str] = "checkout.completed"
    customer: UUID
    provider_id: str
    subscription_provider_id: str | None
    paid: bool
