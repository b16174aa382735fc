"""A message that was cut short: kept at once, completed at the provider, folded by the sweeper."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta

import pytest
from stripe import StripeClient

from providers.inbox import Status
from providers.stripe.client import StripeGateway
from simulation.stripe.server import StripeSimulator
from tests.stripe_messages import sign
from tests.wiring.test_intake import ACCOUNT, NOW, Post
from wiring.intake import Accepted


@pytest.fixture
def simulator() -> Iterator[StripeSimulator]:
    with StripeSimulator(seed=5, backoff=()) as made:
        yield made


@pytest.fixture
def post(database_url: str, simulator: StripeSimulator) -> Iterator[Post]:
    post = Post(database_url, StripeGateway("sk_test_1", ACCOUNT, api_base=simulator.base_url))
    post.open_acme()
    yield post
    post.close()


def subscribe(simulator: StripeSimulator) -> None:
    """A product, a customer with a card, and a subscription."""
    client = StripeClient("sk_test_1", base_addresses={"api": simulator.base_url})
    product = client.v1.products.create({"name": "Pro", "metadata": {"folio_feature_sso": "true"}})
    price = client.v1.prices.create(
        {
            "product": product.id,
            "currency": "usd",
            "unit_amount": 2000,
            "recurring": {"interval": "month"},
        }
    )
    customer = client.v1.customers.create({})
    client.v1.payment_methods.attach("pm_card_visa", {"customer": customer.id})
    client.v1.subscriptions.create(
        {
            "customer": customer.id,
            "items": [{"price": price.id}],
            "default_payment_method": client.v1.payment_methods.list({"customer": customer.id})
            .data[0]
            .id,
        }
    )


def bring_cut_short(post: Post, simulator: StripeSimulator) -> list[Accepted]:
    """Every message of the simulator, the subscription's with its list of items cut off."""
    accepted = []
    for line in simulator.event_log().splitlines():
        message = json.loads(line)
        content = message["data"]["object"]
        if content["object"] == "subscription":
            content["items"] |= {"data": [], "has_more": True}
        payload = json.dumps(message).encode()
        accepted.append(post.intake.receive(payload, sign(payload, NOW)))
    return accepted


def test_what_a_message_left_out_is_fetched(post: Post, simulator: StripeSimulator) -> None:
    subscribe(simulator)
    accepted = bring_cut_short(post, simulator)
    assert Status.RECEIVED in {one.status for one in accepted}
    assert "subscription.started" not in post.names()
    post.clock.advance(timedelta(seconds=1))
    assert post.intake.sweep() >= 1
    assert "subscription.started" in post.names()


def test_a_provider_that_is_away_is_asked_again(post: Post, simulator: StripeSimulator) -> None:
    subscribe(simulator)
    bring_cut_short(post, simulator)
    simulator.stop()
    post.clock.advance(timedelta(seconds=1))
    post.intake.sweep()
    assert post.statuses()[Status.FAILED] >= 1
    assert "subscription.started" not in post.names()
