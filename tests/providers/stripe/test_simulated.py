"""A year at the simulator: every message reads, and a fetch tells what the last message told."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from stripe import StripeClient

from ledger.events.subscription import SubscriptionStatus
from ledger.facts import (
    AllocationFact,
    Fact,
    InvoiceFact,
    PaymentFact,
    ProviderAccount,
    SubscriptionFact,
)
from providers.port import Ignored
from providers.stripe.client import StripeGateway
from providers.stripe.normalise import normalise
from providers.stripe.webhooks import read_envelope
from simulation.stripe.server import StripeSimulator

ACCOUNT = ProviderAccount("stripe", "acct_1", livemode=False)


@pytest.fixture(scope="module")
def simulator() -> Iterator[StripeSimulator]:
    """An account with a payer, one whose card is declined later, one on trial, one who left."""
    with StripeSimulator(seed=11, backoff=()) as made:
        client = StripeClient(
            "sk_test_1", base_addresses={"api": made.base_url}, max_network_retries=0
        )
        product = client.v1.products.create({"name": "Pro", "metadata": {"folio_plan": "pro"}})
        price = client.v1.prices.create(
            {
                "product": product.id,
                "currency": "usd",
                "unit_amount": 2000,
                "recurring": {"interval": "month"},
            }
        )

        def subscribe(card: str, **terms: object) -> str:
            customer = client.v1.customers.create({"metadata": {"external_id": card}})
            use_card(customer.id, card)
            items = [{"price": price.id, "quantity": 2}]
            agreed: Any = {"customer": customer.id, "items": items, **terms}
            client.v1.subscriptions.create(agreed)
            return customer.id

        def use_card(customer: str, card: str) -> None:
            method = client.v1.payment_methods.attach(card, {"customer": customer})
            client.v1.customers.update(
                customer, {"invoice_settings": {"default_payment_method": method.id}}
            )

        subscribe("pm_card_visa")
        declined = subscribe("pm_card_visa")
        subscribe("pm_card_visa", trial_period_days=14)
        leaver = subscribe("pm_card_visa")
        use_card(declined, "pm_card_chargeCustomerFail")
        made.advance(datetime(2026, 3, 5, tzinfo=UTC))
        (leaving,) = client.v1.subscriptions.list({"customer": leaver}).data
        client.v1.subscriptions.update(leaving.id, {"cancel_at_period_end": True})
        made.advance(datetime(2026, 5, 5, tzinfo=UTC))
        yield made


def readings(simulator: StripeSimulator) -> Iterator[tuple[str, tuple[Fact, ...] | Ignored]]:
    for line in simulator.event_log().splitlines():
        envelope = read_envelope(line)
        yield envelope.type, normalise(envelope.content, ACCOUNT)


def told(simulator: StripeSimulator) -> list[Fact]:
    found: list[Fact] = []
    for _, reading in readings(simulator):
        found += reading if isinstance(reading, tuple) else ()
    return found


def test_every_message_reads(simulator: StripeSimulator) -> None:
    ignored = {reading.reason for _, reading in readings(simulator) if isinstance(reading, Ignored)}
    assert ignored <= {"unmapped", "draft", "a preview"}
    kinds = {type(fact).__name__ for fact in told(simulator)}
    assert kinds >= {
        "CustomerFact",
        "ProductFact",
        "PriceFact",
        "SubscriptionFact",
        "InvoiceFact",
        "PaymentFact",
        "AllocationFact",
    }


def test_the_stories_are_in_the_facts(simulator: StripeSimulator) -> None:
    subscriptions = [one for one in told(simulator) if isinstance(one, SubscriptionFact)]
    statuses = {one.status for one in subscriptions}
    assert statuses >= {
        SubscriptionStatus.TRIALING,
        SubscriptionStatus.ACTIVE,
        SubscriptionStatus.PAST_DUE,
        SubscriptionStatus.CANCELED,
    }
    assert any(one.cancel_at and one.cancel_at_period_end for one in subscriptions)
    assert all(one.ended_at for one in subscriptions if one.status is SubscriptionStatus.CANCELED)
    assert all(item.period and item.quantity == 2 for one in subscriptions for item in one.items)


def test_both_sides_of_a_payment_tell_the_same(simulator: StripeSimulator) -> None:
    payments: dict[tuple[str, str], set[PaymentFact]] = {}
    for fact in told(simulator):
        if isinstance(fact, PaymentFact):
            seen = replace(fact, source="", observed_at=simulator.now)
            payments.setdefault((fact.provider_id, fact.attempt), set()).add(seen)
    assert {one.succeeded for said in payments.values() for one in said} == {True, False}
    assert all(len(said) == 1 for said in payments.values())


def test_each_paid_invoice_has_its_money(simulator: StripeSimulator) -> None:
    facts = told(simulator)
    paid = {
        fact.provider_id: fact.paid
        for fact in facts
        if isinstance(fact, InvoiceFact) and fact.status == "paid" and fact.paid.amount
    }
    allocated = {fact.invoice: fact.amount for fact in facts if isinstance(fact, AllocationFact)}
    moved = {fact.provider_id for fact in facts if isinstance(fact, PaymentFact) and fact.succeeded}
    assert paid == allocated
    assert {fact.payment for fact in facts if isinstance(fact, AllocationFact)} <= moved


def test_a_fetch_tells_what_the_last_message_told(simulator: StripeSimulator) -> None:
    gateway = StripeGateway("sk_test_1", ACCOUNT, api_base=simulator.base_url, retries=0)
    last = {
        (type(fact), fact.provider_id): fact
        for fact in told(simulator)
        if isinstance(fact, SubscriptionFact | InvoiceFact)
    }
    for (kind, provider_id), fact in last.items():
        fetch = gateway.subscription if kind is SubscriptionFact else gateway.invoice
        reading = fetch(provider_id)
        assert isinstance(reading, tuple)
        fetched = next(one for one in reading if isinstance(one, kind))
        seen_alike = replace(fetched, source=fact.source, observed_at=fact.observed_at)
        if isinstance(fact, InvoiceFact):
            assert seen_alike == replace(fact, failed_attempt=None)
        else:
            assert seen_alike == replace(fact, first=False)
