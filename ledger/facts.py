"""What the outside says happened, in our own types: one fact per object and observation.

A fact is the whole state of one provider object at `observed_at`, the provider's own time. No
provider's type or field name passes into it; ids of the provider's objects are kept as references.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from ledger.events.invoice import InvoiceLine
from ledger.events.subscription import SubscriptionStatus
from ledger.money import Money
from ledger.period import Interval, Period


@dataclass(frozen=True, slots=True)
class ProviderAccount:
    """One side of a provider's world: an account, live or test; never mixed with another."""

    provider: str
    account: str
    livemode: bool

    def parts(self, *more: str) -> tuple[str, ...]:
        """The name of something in this account, as parts for an id."""
        return (self.provider, self.account, "live" if self.livemode else "test", *more)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """The state of a provider's object `provider_id` at `observed_at`.

    `source` names the message that carried it, for causation.
    """

    account: ProviderAccount
    provider_id: str
    observed_at: datetime
    source: str

    def dependency(self, provider_id: str) -> str:
        """The key under which a fact waits for another object of its account."""
        return ":".join(self.account.parts(provider_id))


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerFact(Fact):
    """A provider's customer; the three links to us come from metadata that we or the app set."""

    project: str | None
    customer_id: UUID | None
    external_id: str | None
    deleted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductFact(Fact):
    """A provider's product; `features` are the declared values as text, by feature key."""

    project: str | None
    name: str
    plan: str | None
    features: tuple[tuple[str, str], ...]
    grace_days: int | None
    leeway_hours: int | None
    active: bool
    deleted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceFact(Fact):
    """A provider's price of a product."""

    product: str
    amount: Money | None
    interval: Interval | None
    active: bool
    deleted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemFact:
    """An item of a provider's subscription."""

    provider_id: str
    price: str
    product: str
    amount: Money | None
    interval: Interval | None
    quantity: int
    period: Period | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionFact(Fact):
    """A provider's subscription."""

    customer: str
    status: SubscriptionStatus
    items: tuple[ItemFact, ...]
    started_at: datetime
    trial_end: datetime | None
    cancel_at: datetime | None
    cancel_at_period_end: bool
    ended_at: datetime | None
    end_reason: str | None
    pause_reason: str | None
    collection_paused: bool
    first: bool  # the observation is of the object's creation


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceFact(Fact):
    """A provider's invoice; `status` is draft, open, paid, void or uncollectible."""

    customer: str
    subscription: str | None
    status: str
    number: str | None
    total: Money
    tax: Money
    paid: Money
    lines: tuple[InvoiceLine, ...]
    issued_at: datetime | None
    settled_at: datetime | None
    voided_at: datetime | None
    uncollectible_at: datetime | None
    failed_attempt: int | None  # set when this observation reports a failed collection
    next_attempt_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentFact(Fact):
    """A payment; `provider_id` is the economic object that all reports of it share.

    `succeeded` is None while the outcome is open. `attempt` names the single try.
    """

    customer: str
    amount: Money
    succeeded: bool | None
    attempt: str
    failure: str | None
    invoice: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AllocationFact(Fact):
    """A provider's statement that a part of a payment went to an invoice."""

    invoice: str
    payment: str
    amount: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckoutFact(Fact):
    """A completed checkout; `external_id` is the user id the app handed along."""

    customer: str
    external_id: str | None
    subscription: str | None
    paid: bool
