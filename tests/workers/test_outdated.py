"""A read model of an older version is rebuilt by whoever notices, once, and then followed."""

from __future__ import annotations

from dataclasses import replace

from projections import builds, customers
from projections.customers import CUSTOMERS
from tests.installation import eventually
from tests.workers.shop import ACME, Shop
from workers.outdated import Renewal


def test_a_new_version_is_filled_and_swapped_in_by_one_of_many(shop: Shop) -> None:
    customer = shop.subscribe("ann", shop.now)
    shop.catch_up()
    newer = replace(CUSTOMERS, version=CUSTOMERS.version + 1)
    renewals = [Renewal(shop.services, [newer]) for _ in range(2)]
    for renewal in renewals:
        renewal.start()
    try:
        with shop.services.database.connection() as connection:
            eventually(lambda: builds.ensure(connection, [newer]) == ())
            live = builds.live_build(connection, newer)
            assert live.label == f"v{newer.version}"
            assert builds.kept(connection, newer) == [CUSTOMERS.first_build]
            assert customers.by_id(connection, ACME, customer) is not None
    finally:
        for renewal in renewals:
            renewal.stop()
