"""A follower acts on hints, and does without them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from ledger.clock import ManualClock
from ledger.events.customer import CustomerRegistered
from ledger.store.postgres_log import PostgresLog
from projections import builds, checkpoints
from projections.customers import CUSTOMERS
from projections.follower import Follower, Hints
from projections.runner import Runner
from projections.table import Database
from tests.projections.history import History, customer_named

PATIENCE = 20.0


@contextmanager
def following(runner: Runner, hints: Hints, sweep_seconds: float) -> Iterator[None]:
    follower = Follower(runner, hints, sweep_seconds=sweep_seconds)
    thread = threading.Thread(target=follower.run)
    thread.start()
    try:
        yield
    finally:
        follower.stop()
        thread.join()


def test_a_hint_is_enough(
    connection: Database,
    database_url: str,
    log: PostgresLog,
    history: History,
    clock: ManualClock,
) -> None:
    builds.ensure(connection, [CUSTOMERS])
    hints = Hints()
    told: list[dict[int, int]] = []
    runner = Runner(
        log, database_url, [CUSTOMERS], clock, on_commit=lambda at: told.append(dict(at))
    )
    with following(runner, hints, sweep_seconds=3600):
        for name in ("ann", "bob"):
            receipt = history.say(customer_named(name), CustomerRegistered(external_id=name))
            hints.give([receipt.bucket])
            checkpoints.wait_for(
                connection, "customers", receipt.bucket, receipt.position, PATIENCE
            )
    assert [list(each.values()) for each in told] == [[1], [1]]


def test_without_hints_the_sweep_finds_everything(
    connection: Database,
    database_url: str,
    log: PostgresLog,
    history: History,
    clock: ManualClock,
) -> None:
    builds.ensure(connection, [CUSTOMERS])
    runner = Runner(log, database_url, [CUSTOMERS], clock)
    with following(runner, Hints(), sweep_seconds=0.05):
        for name in ("ann", "bob"):
            receipt = history.say(customer_named(name), CustomerRegistered(external_id=name))
            checkpoints.wait_for(
                connection, "customers", receipt.bucket, receipt.position, PATIENCE
            )


def test_a_lost_connection_is_made_again(
    connection: Database,
    database_url: str,
    log: PostgresLog,
    history: History,
    clock: ManualClock,
) -> None:
    builds.ensure(connection, [CUSTOMERS])
    runner = Runner(log, database_url, [CUSTOMERS], clock)
    with following(runner, Hints(), sweep_seconds=0.05):
        for name in ("ann", "bob", "cyd"):
            receipt = history.say(customer_named(name), CustomerRegistered(external_id=name))
            checkpoints.wait_for(
                connection, "customers", receipt.bucket, receipt.position, PATIENCE
            )
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE application_name = 'folio-projections'"
            )
