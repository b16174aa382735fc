"""The sweeper folds what no request has finished, once, however many sweep."""

from __future__ import annotations

from datetime import timedelta

from ledger.clock import SystemClock
from ledger.facts import ProviderAccount
from providers import inbox
from providers.inbox import Delivery, Status
from tests import stripe_messages as stripe
from tests.installation import eventually
from tests.workers.shop import Shop
from wiring.services import STRIPE
from workers.sweeper import make_sweeper


def test_rows_left_behind_are_folded_once_by_all_sweepers_together(shop: Shop) -> None:
    names = [f"cus_{number}" for number in range(30)]
    for name in names:
        _left_behind(shop, name)
    sweepers = [make_sweeper(shop.services.intake) for _ in range(3)]
    for sweeper in sweepers:
        sweeper.start()
    try:
        eventually(lambda: _statuses(shop) == {Status.FOLDED})
    finally:
        for sweeper in sweepers:
            assert sweeper.stop()
    assert len(shop.names("customer.registered")) == len(names)


def test_a_child_that_came_before_its_parent_is_folded_when_the_parent_comes(shop: Shop) -> None:
    late = shop.now - timedelta(days=1)
    content = stripe.subscription(late, late + timedelta(days=30), customer="cus_late")
    assert shop.bring("customer.subscription.created", content, late).status is Status.PARKED
    sweeper = make_sweeper(shop.services.intake)
    sweeper.start()
    try:
        shop.bring("customer.created", stripe.customer("cus_late"), late)
        eventually(lambda: _statuses(shop) == {Status.FOLDED})
    finally:
        assert sweeper.stop()
    assert shop.names("subscription.started") == ["subscription.started"]


def _left_behind(shop: Shop, name: str) -> None:
    """A message that was kept by a request that then died, some time ago."""
    payload = stripe.event("customer.created", stripe.customer(name), shop.now)
    delivery = Delivery(
        account=ProviderAccount(STRIPE, shop.services.settings.stripe_account, livemode=False),
        event_id=f"evt_{name}",
        type="customer.created",
        provider_created_at=shop.now,
        received_at=SystemClock().now() - timedelta(minutes=1),
        payload=payload,
    )
    with shop.services.database.connection() as connection:
        inbox.receive(connection, delivery)


def _statuses(shop: Shop) -> set[Status]:
    with shop.services.database.connection() as connection:
        return {row.status for row in inbox.list_rows(connection, limit=500)}
