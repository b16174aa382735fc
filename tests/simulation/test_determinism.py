"""One seed, one history: byte for byte, in any process."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from simulation.stripe.ids import IdSource

ROOT = Path(__file__).parents[2]
STORY = """
import hashlib
from datetime import UTC, datetime
from stripe import StripeClient
from simulation.stripe.server import StripeSimulator

with StripeSimulator(seed={seed}) as simulator:
    v1 = StripeClient(
        "sk_test_x", base_addresses={{"api": simulator.base_url}}, max_network_retries=0
    ).v1
    step = 0
    def key():
        global step
        step += 1
        return {{"idempotency_key": f"step-{{step}}"}}
    product = v1.products.create({{"name": "Pro"}}, key())
    prices = [
        v1.prices.create({{
            "product": product.id, "currency": "usd", "unit_amount": 1000 * n,
            "recurring": {{"interval": "month", "interval_count": n}},
        }}, key())
        for n in (1, 3, 6)
    ]
    for n in range(6):
        customer = v1.customers.create({{"name": f"C{{n}}"}}, key())
        card = "pm_card_visa" if n % 2 else "pm_card_chargeCustomerFail"
        method = v1.payment_methods.attach(card, {{"customer": customer.id}}, key())
        v1.subscriptions.create({{
            "customer": customer.id, "items": [{{"price": prices[n % 3].id}}],
            "default_payment_method": method.id, "trial_period_days": n * 3 or 1,
            "metadata": {{"b": "1", "a": "2"}},
        }}, key())
    simulator.advance(datetime(2026, 7, 1, tzinfo=UTC))
    log = simulator.event_log()
    print(len(log.splitlines()), hashlib.sha256(log).hexdigest())
"""


def tell(seed: int, hash_seed: str) -> str:
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, "-c", STORY.format(seed=seed)],
        env=environment,
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout


def test_the_same_seed_tells_the_same_history_in_another_process() -> None:
    first, again, other = tell(3, "1"), tell(3, "2"), tell(4, "1")
    assert first == again
    assert int(first.split()[0]) > 100
    assert other.split()[0] == first.split()[0]
    assert other != first


@pytest.mark.parametrize("prefix", ["cus", "sub", "evt"])
def test_ids_are_drawn_from_the_seed(prefix: str) -> None:
    one, same, other = IdSource(1), IdSource(1), IdSource(2)
    drawn = [one.new(prefix) for _ in range(500)]
    assert drawn == [same.new(prefix) for _ in range(500)]
    assert len(set(drawn)) == 500
    assert not set(drawn) & {other.new(prefix) for _ in range(500)}
