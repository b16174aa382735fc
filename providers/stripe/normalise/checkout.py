"""Stripe's checkout sessions."""

from __future__ import annotations

from typing import Final

from ledger.facts import CheckoutFact, CustomerFact, Fact
from providers.stripe.normalise.customer import customer_id_in, owner_of
from providers.stripe.normalise.shape import Observation, Shape

_PAYMENT_STATUSES: Final = frozenset({"paid", "unpaid", "no_payment_required"})


def read_checkout(session: Shape, seen: Observation) -> tuple[Fact, ...]:
    """The checkout, after the customer when the session's own metadata says whose it is.

    A checkout makes customers without metadata: the session is then the only tie to us.
    """
    payment_status = session.text("payment_status")
    if payment_status not in _PAYMENT_STATUSES:
        raise session.refusal("payment_status", f"{payment_status!r} is not one we know")
    customer = owner_of(session)
    external_id = session.maybe_text("client_reference_id") or session.metadata(
        "folio_external_id", "external_id"
    )
    checkout = CheckoutFact(
        account=seen.account,
        provider_id=session.text("id"),
        observed_at=seen.at,
        source=seen.source,
        customer=customer,
        external_id=external_id,
        subscription=session.maybe_reference("subscription"),
        paid=payment_status == "paid",
    )
    project, customer_id = session.metadata("folio_project"), customer_id_in(session)
    if project is None and customer_id is None:
        return (checkout,)
    tied = CustomerFact(
        account=seen.account,
        provider_id=customer,
        observed_at=seen.at,
        source=seen.source,
        project=project,
        customer_id=customer_id,
        external_id=external_id,
        deleted=False,
    )
    return (tied, checkout)
