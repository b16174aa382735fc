"""Redis that is not there, PostgreSQL that is killed: work goes on, or goes on again by itself."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import httpx2

from ledger.clock import SystemClock
from tests import stripe_messages as stripe
from tests.conftest import Database
from tests.installation import Installation, eventually, installation, stop
from tests.stripe_messages import event, sign
from tests.workers.shop import DAY, Shop
from wiring.embedded import EmbeddedServers

_NO_REDIS = "redis://127.0.0.1:9/0"
_ENDS = ("grant.expired", "subscription.grace_ended", "subscription.trial_ended")


def test_without_redis_everything_is_done_all_the_same(
    database: Database, redis_url: str, tmp_path: Path
) -> None:
    shop = Shop.open(database.url, redis_url)
    with installation(database.url, database.owner_url, _NO_REDIS, tmp_path) as running:
        processes = [running.start("worker"), running.start("scheduler"), running.serve()]
        shop.fill_with_overdue()
        eventually(lambda: len(shop.names(*_ENDS)) == 3, lambda: running.said("scheduler"))
        assert _post_customer(running) == 200
        eventually(lambda: _level(running), lambda: running.said("worker"))
        for process in processes:
            assert stop(process) == 0
    shop.services.close()


def test_a_killed_database_is_waited_for_by_everybody(
    database: Database, redis_url: str, tmp_path: Path, embedded: EmbeddedServers
) -> None:
    shop = Shop.open(database.url, redis_url)
    with installation(database.url, database.owner_url, redis_url, tmp_path) as running:
        processes = [running.start("worker"), running.start("scheduler"), running.serve()]
        eventually(lambda: "leading" in running.said("scheduler"))
        embedded.kill_postgres()
        assert _post_customer(running) == 503
        embedded.restart_postgres()
        eventually(lambda: _post_customer(running) == 200, lambda: running.said("serve"))
        eventually(lambda: _level(running), lambda: running.said("worker"))
        _post_overdue_trial(running, shop.now)
        eventually(lambda: "deadline passed" in running.said("worker"))
        for process in processes:
            assert stop(process) == 0
    shop.services.close()


def _post_customer(running: Installation) -> int:
    now = SystemClock().now()
    return _post(running, event("customer.created", stripe.customer("cus_new"), now, "evt_new"))


def _post_overdue_trial(running: Installation, now: datetime) -> None:
    since = now - 15 * DAY
    over = int((now - DAY).timestamp())
    trial = stripe.subscription(
        since, since + 30 * DAY, customer="cus_new", status="trialing", trial_end=over
    )
    assert _post(running, event("customer.subscription.created", trial, since)) == 200


def _post(running: Installation, payload: bytes) -> int:
    """Send a signed message as Stripe does; the status of the answer."""
    signature = sign(payload, SystemClock().now())
    headers = {"Stripe-Signature": signature, "Content-Type": "application/json"}
    answer = httpx2.post(
        running.webhooks, content=payload, headers=headers, timeout=30, trust_env=False
    )
    return answer.status_code


def _level(running: Installation) -> bool:
    health = httpx2.get(f"{running.url}/health", timeout=30, trust_env=False).json()
    components: dict[str, dict[str, str]] = health["components"]
    return components.get("projections", {}).get("detail") == "0 events behind"
