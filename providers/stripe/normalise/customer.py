"""Stripe's customers."""

from __future__ import annotations

from uuid import UUID

from ledger.facts import CustomerFact
from providers.stripe.normalise.shape import Observation, Shape


def read_customer(customer: Shape, seen: Observation) -> tuple[CustomerFact]:
    """The customer and its ties to us; a deleted one may be no more than an id."""
    return (
        CustomerFact(
            account=seen.account,
            provider_id=customer.text("id"),
            observed_at=seen.at,
            source=seen.source,
            project=customer.metadata("folio_project"),
            customer_id=customer_id_in(customer),
            external_id=customer.metadata("folio_external_id", "external_id"),
            deleted=seen.occasion == "deleted" or customer.flag("deleted"),
        ),
    )


def customer_id_in(tied: Shape) -> UUID | None:
    """Our own customer id as metadata names it."""
    named = tied.metadata("folio_customer_id")
    if named is None:
        return None
    try:
        return UUID(named)
    except ValueError:
        raise tied.refusal("metadata.folio_customer_id", "is not a UUID") from None


def owner_of(owned: Shape) -> str:
    """The customer an object belongs to."""
    if not owned.has("customer") and owned.has("customer_account"):
        raise owned.refusal("customer", "is null, only customer_account is set")
    return owned.reference("customer")
