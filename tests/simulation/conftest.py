"""A Stripe simulator and the real SDK that talks to it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from stripe import StripeClient

from simulation.stripe.server import StripeSimulator
from tests.simulation.shop import Shop
from tests.simulation.webhook_receiver import WebhookReceiver


@pytest.fixture
def stripe_simulator() -> Iterator[StripeSimulator]:
    with StripeSimulator(seed=7, backoff=(0.01, 0.01)) as simulator:
        yield simulator


@pytest.fixture
def client(stripe_simulator: StripeSimulator) -> StripeClient:
    return StripeClient(
        "sk_test_simulated",
        base_addresses={"api": stripe_simulator.base_url},
        max_network_retries=0,
    )


@pytest.fixture
def shop(stripe_simulator: StripeSimulator, client: StripeClient) -> Shop:
    return Shop(stripe_simulator, client)


@pytest.fixture
def receiver() -> Iterator[WebhookReceiver]:
    receiver = WebhookReceiver()
    receiver.start()
    yield receiver
    receiver.stop()
