"""The spine: Stripe says what happened over signed HTTP, and a micro-app sees what it may use."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
from stripe import StripeClient

from ledger.clock import SystemClock
from simulation.demo.operator import Operator
from simulation.stripe.account import Habits
from simulation.stripe.server import StripeSimulator
from tests.conftest import Database
from tests.installation import OPERATOR_KEY, Installation, eventually, installation

DAY = timedelta(days=1)
BEGAN = SystemClock().now().replace(microsecond=0) - 60 * DAY


@dataclass
class Stage:
    """A Stripe with its SDK, an installation that hears it, and an app of the project."""

    simulator: StripeSimulator
    stripe: StripeClient
    running: Installation
    app: httpx2.Client

    def heard(self) -> None:
        """Wait until Folio has taken in, and shows, all that Stripe said."""
        assert self.simulator.drain()
        eventually(self._is_level)

    def check(self, feature: str, at: datetime, **more: str) -> dict[str, Any]:
        """What the app is told of Ann and a feature at some moment."""
        asked = {"customer": "ann", "feature": feature, "as_of": at.isoformat(), **more}
        answer = self._get("/api/v1/entitlements/check", **asked)
        assert answer.status_code == 200, answer.text
        told: dict[str, Any] = answer.json()
        return told

    def _is_level(self) -> bool:
        components: dict[str, dict[str, str]] = self._get("/health").json()["components"]
        return components["projections"]["detail"] == "0 events behind"

    def advance(self, day: float) -> None:
        self.simulator.advance(BEGAN + day * DAY)

    def _get(self, path: str, **parameters: str) -> httpx2.Response:
        return self.app.get(path, params=parameters)


@pytest.fixture
def stage(database: Database, redis_url: str, tmp_path: Path) -> Iterator[Stage]:
    simulator = StripeSimulator(5, BEGAN, habits=Habits(after_last_retry="unpaid"))
    with (
        simulator,
        installation(database.url, database.owner_url, redis_url, tmp_path) as running,
    ):
        stripe = StripeClient("sk_test_1", base_addresses={"api": simulator.base_url})
        endpoint = stripe.v1.webhook_endpoints.create(
            {"url": running.webhooks, "enabled_events": ["*"]}
        )
        running.start("worker")
        running.serve(STRIPE_WEBHOOK_SECRET=str(endpoint.secret))
        with Operator(running.url, OPERATOR_KEY) as operator:
            key = operator.issue_key(operator.open_shop().app)
        headers = {"Authorization": f"Bearer {key}"}
        with httpx2.Client(base_url=running.url, headers=headers, trust_env=False) as app:
            yield Stage(simulator, stripe, running, app)


def _plan(stripe: StripeClient, name: str, seats: str, amount: int) -> str:
    """A product that gives a plan, and the id of its monthly price."""
    features = {"folio_feature_seats": seats, "folio_feature_export": "true"}
    product = stripe.v1.products.create(
        {"name": name, "metadata": {"folio_project": "demo", "folio_plan": name, **features}}
    )
    price = stripe.v1.prices.create(
        {
            "product": product.id,
            "currency": "usd",
            "unit_amount": amount,
            "recurring": {"interval": "month"},
        }
    )
    return price.id


def test_from_a_trial_to_the_last_unpaid_bill(stage: Stage) -> None:
    stripe = stage.stripe
    small, large = _plan(stripe, "small", "3", 900), _plan(stripe, "large", "unlimited", 4_900)
    ann = stripe.v1.customers.create(
        {"metadata": {"folio_project": "demo", "folio_external_id": "ann"}}
    )
    card = stripe.v1.payment_methods.attach("pm_card_visa", {"customer": ann.id})
    stripe.v1.customers.update(ann.id, {"invoice_settings": {"default_payment_method": card.id}})
    agreement = stripe.v1.subscriptions.create(
        {"customer": ann.id, "items": [{"price": small}], "trial_period_days": 14}
    )
    stage.heard()
    in_trial = BEGAN + DAY
    answer = stage.check("seats", in_trial)
    assert (answer["allowed"], answer["value"], answer["source"]) == (True, 3, "trial")
    believed_at = SystemClock().now().isoformat()
    converted = BEGAN + 20 * DAY
    before = stage.check("seats", converted, known_at=believed_at)
    assert not before["allowed"], "nobody knows yet that the trial will become a subscription"

    stage.advance(25)
    (item,) = agreement["items"].data
    stripe.v1.subscriptions.update(agreement.id, {"items": [{"id": item.id, "price": large}]})
    stage.heard()
    answer = stage.check("seats", converted)
    assert (answer["value"], answer["source"]) == (3, "plan")
    assert stage.check("seats", BEGAN + 26 * DAY)["value"] is None, "unlimited"

    stage.simulator.set_card(card.id, "insufficient_funds")
    stage.advance(46)
    stage.heard()
    answer = stage.check("seats", BEGAN + 45.5 * DAY)
    assert (answer["allowed"], answer["reason"]) == (True, "past_due_grace")
    assert not stage.check("seats", BEGAN + 53 * DAY)["allowed"], "grace is over after seven days"

    stripe.v1.subscriptions.cancel(agreement.id)
    stage.heard()
    answer = stage.check("export", SystemClock().now())
    assert (answer["allowed"], answer["reason"]) == (False, "subscription_ended")
    assert stage.check("seats", in_trial)["value"] == 3
    still = stage.check("seats", converted, known_at=believed_at)
    for part in ("allowed", "value", "reason", "source", "valid_until"):
        assert still[part] == before[part], "what was believed then is never rewritten"
