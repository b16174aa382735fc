"""Stripe's payment intents and charges: one payment, reported from two sides.

The payment is named by its intent when it has one, so that both sides speak of the same thing, and
both give the same reason of a failure.
"""

from __future__ import annotations

from ledger.facts import PaymentFact
from ledger.money import Money
from providers.stripe.normalise.customer import owner_of
from providers.stripe.normalise.shape import Observation, Shape


def read_payment_intent(intent: Shape, seen: Observation) -> tuple[PaymentFact]:
    """A payment as its intent tells it."""
    provider_id = intent.text("id")
    succeeded = _intent_outcome(intent, seen)
    received = succeeded and intent.has("amount_received")
    problem = intent.maybe_child("last_payment_error") if succeeded is False else None
    return (
        PaymentFact(
            account=seen.account,
            provider_id=provider_id,
            observed_at=seen.at,
            source=seen.source,
            customer=owner_of(intent),
            amount=intent.money("amount_received" if received else "amount", intent.currency()),
            succeeded=succeeded,
            attempt=_latest_charge(intent, problem) or provider_id,
            failure=problem.maybe_text("code") if problem else None,
            invoice=intent.maybe_reference("invoice"),
        ),
    )


def read_charge(charge: Shape, seen: Observation) -> tuple[PaymentFact]:
    """A payment as one charge, a single try, tells it."""
    provider_id = charge.text("id")
    succeeded = _charge_outcome(charge)
    return (
        PaymentFact(
            account=seen.account,
            provider_id=charge.maybe_reference("payment_intent") or provider_id,
            observed_at=seen.at,
            source=seen.source,
            customer=owner_of(charge),
            amount=_charge_amount(charge, succeeded),
            succeeded=succeeded,
            attempt=provider_id,
            failure=charge.maybe_text("failure_code") if succeeded is False else None,
            invoice=charge.maybe_reference("invoice"),
        ),
    )


def _intent_outcome(intent: Shape, seen: Observation) -> bool | None:
    settled = intent.text("status") == "succeeded"
    if seen.occasion == "succeeded" and not settled:
        raise intent.refusal("status", "contradicts the message, which says it succeeded")
    if settled:
        return True
    return False if seen.occasion == "payment_failed" else None


def _latest_charge(intent: Shape, problem: Shape | None) -> str | None:
    """The last try: a field since November 2022, the first of a list before that."""
    if intent.has("latest_charge"):
        return intent.reference("latest_charge")
    listed = intent.maybe_child("charges")
    latest = next(listed.children("data"), None) if listed else None
    if latest:
        return latest.text("id")
    return problem.maybe_reference("charge") if problem else None


def _charge_outcome(charge: Shape) -> bool | None:
    """None while a charge is pending, or authorised and not yet captured: no money has moved."""
    status = charge.maybe_text("status")
    if status == "failed":
        return False
    if status == "succeeded" or (status is None and charge.flag("paid")):
        return True if charge.flag("captured", default=True) else None
    if status == "pending":
        return None
    raise charge.refusal("status", f"{status!r} is not one we know")


def _charge_amount(charge: Shape, succeeded: bool | None) -> Money:
    captured = succeeded and charge.has("amount_captured")
    return charge.money("amount_captured" if captured else "amount", charge.currency())
