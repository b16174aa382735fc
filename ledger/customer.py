"""Customers: who pays, and under which names they are known."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from ledger.errors import AlreadyExists, NotFound
from ledger.events.base import Decided, Event, Happening
from ledger.events.customer import (
    CheckoutCompleted,
    CustomerClosed,
    CustomerIdentified,
    CustomerLinked,
    CustomerRegistered,
)
from ledger.facts import CheckoutFact, CustomerFact, ProviderAccount
from ledger.ids import bucket_in, derived_id, owner_id


def customer_id(project: UUID, external_id: str) -> UUID:
    """The id of the customer a micro-app calls `external_id`; the same from every writer."""
    return owner_id("customer", str(project), "external", external_id)


def keyed_customer_id(project: UUID, key: str) -> UUID:
    """The id of a customer without a user id, made under an idempotency key."""
    return owner_id("customer", str(project), "key", key)


def provider_customer_id(project: UUID, account: ProviderAccount, provider_id: str) -> UUID:
    """The id of a customer first heard of from a provider."""
    return owner_id("customer", str(project), *account.parts(provider_id))


def checkout_id(customer: UUID, account: ProviderAccount, provider_id: str) -> UUID:
    """The id of a customer's checkout at a provider."""
    return derived_id(bucket_in(customer), "checkout", *account.parts(provider_id))


@dataclass(frozen=True, slots=True)
class Customer:
    """A customer as its events leave it."""

    external_id: str | None
    links: frozenset[tuple[ProviderAccount, str]] = frozenset()
    closed: frozenset[str] = frozenset()


def evolve(state: Customer | None, happened: Happening) -> Customer:
    event = happened.event
    if isinstance(event, CustomerRegistered):
        return Customer(event.external_id)
    if state is None:
        raise NotFound("customer", "without a beginning")
    match event:
        case CustomerIdentified(external_id=external_id):
            return replace(state, external_id=external_id)
        case CustomerLinked(provider=p, account=a, livemode=live, provider_id=reference):
            link = (ProviderAccount(p, a, live), reference)
            return replace(state, links=state.links | {link})
        case CustomerClosed(provider_id=reference):
            return replace(state, closed=state.closed | {reference})
    return state


def register(
    state: Customer | None, *, external_id: str | None, now: datetime
) -> tuple[Decided, ...]:
    """A new customer; AlreadyExists when the user id is taken in this project."""
    if state is not None:
        raise AlreadyExists("customer", external_id or "with this key")
    return (Decided(CustomerRegistered(external_id=external_id), now),)


def observe(state: Customer | None, fact: CustomerFact) -> tuple[Decided, ...]:
    """What a provider's statement about its customer tells us that we did not know."""
    news: list[Event] = []
    if state is None:
        news.append(CustomerRegistered(external_id=fact.external_id))
    elif state.external_id is None and fact.external_id is not None:
        news.append(CustomerIdentified(external_id=fact.external_id))
    if state is None or (fact.account, fact.provider_id) not in state.links:
        news.append(
            CustomerLinked(
                provider=fact.account.provider,
                account=fact.account.account,
                livemode=fact.account.livemode,
                provider_id=fact.provider_id,
            )
        )
    if fact.deleted and (state is None or fact.provider_id not in state.closed):
        news.append(CustomerClosed(provider_id=fact.provider_id))
    return tuple(Decided(event, fact.observed_at) for event in news)


def identify(state: Customer, fact: CheckoutFact) -> tuple[Decided, ...]:
    """The user id a checkout brought along, when the customer had none."""
    if fact.external_id is None or state.external_id is not None:
        return ()
    return (Decided(CustomerIdentified(external_id=fact.external_id), fact.observed_at),)


def evolve_checkout(state: bool | None, happened: Happening) -> bool:
    """Whether a checkout is known to be paid."""
    match happened.event:
        case CheckoutCompleted(paid=paid):
            return paid
    return bool(state)


def complete_checkout(
    state: bool | None, fact: CheckoutFact, customer: UUID
) -> tuple[Decided, ...]:
    """A checkout that came to its end; known ones are no news."""
    if state is not None:
        return ()
    completed = CheckoutCompleted(
        customer=customer,
        provider_id=fact.provider_id,
        subscription_provider_id=fact.subscription,
        paid=fact.paid,
    )
    return (Decided(completed, fact.observed_at),)
