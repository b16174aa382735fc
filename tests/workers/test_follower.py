"""Read models follow the log by hints and without, and tell caches how far they are."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from ledger.ids import bucket_in
from projections import checkpoints, customers
from projections.registry import PROJECTIONS
from tests.installation import eventually
from tests.workers.shop import ACME, Shop
from wiring.hints import Channel, Listener
from workers.follower import ReadModels


def test_what_is_appended_is_soon_projected_and_told(shop: Shop) -> None:
    told: dict[int, int] = {}
    ready: list[bool] = []

    def heard(positions: Mapping[int, int]) -> None:
        told.update(positions)

    listener = Listener(
        shop.services.redis_url,
        Channel.PROJECTED,
        heard=heard,
        missed=lambda: ready.append(True),
    )
    read_models = ReadModels(shop.services, PROJECTIONS)
    eventually(lambda: bool(ready))
    read_models.start()
    try:
        customer = shop.subscribe("ann", shop.now)
        bucket = bucket_in(customer)
        head = shop.services.log.heads([bucket])[bucket]
        eventually(lambda: told.get(bucket, 0) >= head)
        with shop.services.database.connection() as connection:
            assert checkpoints.reached(connection, "customers", bucket) == head
            assert customers.by_id(connection, ACME, customer) is not None
    finally:
        read_models.stop()
        listener.close()


def test_without_redis_the_sweep_finds_it(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    # Appends tell nobody: what is found is found by looking.
    monkeypatch.setattr(shop.services.appended, "positions", lambda positions: None)
    read_models = ReadModels(shop.services, PROJECTIONS)
    read_models.start()
    try:
        customer = shop.subscribe("ann", shop.now)
        with shop.services.database.connection() as connection:
            eventually(lambda: customers.by_id(connection, ACME, customer) is not None)
    finally:
        read_models.stop()
