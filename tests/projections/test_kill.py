"""Workers are killed at any moment and compete for the same buckets: each event counts once."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random

from ledger.clock import ManualClock, SystemClock
from ledger.events.payment import PaymentAllocated
from ledger.ids import bucket_in, derived_id
from ledger.money import Money
from ledger.store.postgres_log import PostgresLog
from projections import builds, checkpoints, payments
from projections.payments import PAYMENTS
from projections.runner import Runner
from projections.table import Database
from tests.projections.history import PROJECT, History, customer_named

PAYMENTS_MADE = 40
ALLOCATIONS = 200
KILLS = 4


@contextmanager
def worker(dsn: str, batch: int) -> Iterator[subprocess.Popen[str]]:
    """A working process, killed with SIGKILL at the end of the block."""
    command = [sys.executable, "-m", "tests.projections.working", dsn, str(batch)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def test_killed_and_competing_workers_count_each_event_once(
    connection: Database,
    database_url: str,
    log: PostgresLog,
    history: History,
    clock: ManualClock,
) -> None:
    builds.ensure(connection, [PAYMENTS])
    for number in range(PAYMENTS_MADE):
        owner = customer_named(f"c{number % 7}")
        payment = derived_id(bucket_in(owner), "payment", str(number))
        history.write(
            owner,
            [
                (
                    payment,
                    PaymentAllocated(allocation=str(n), invoice=owner, amount=Money(1, "eur")),
                    clock.now(),
                )
                for n in range(ALLOCATIONS)
            ],
        )
    chance = Random(3)
    for _ in range(KILLS):
        with worker(database_url, 10) as one, worker(database_url, 17) as other:
            for process in (one, other):
                assert process.stdout is not None
                process.stdout.readline()
            time.sleep(chance.uniform(0, 0.1))

    runner = Runner(log, database_url, [PAYMENTS], SystemClock())
    runner.catch_up()
    runner.close()
    found = payments.page(connection, PROJECT, limit=1000)
    assert [each.allocated for each in found] == [ALLOCATIONS] * PAYMENTS_MADE
    assert checkpoints.lag(connection) == {"payments": 0}
    assert checkpoints.failures(connection) == []
