"""The scheduler's jobs come round in one process at a time, and fail alone."""

from __future__ import annotations

import signal
import threading
from pathlib import Path

import psycopg

from tests.conftest import Database
from tests.installation import eventually, installation, stop
from tests.workers.shop import Shop
from workers.leadership import Leadership
from workers.scheduler import Job, Scheduler

_ENDS = ("grant.expired", "subscription.grace_ended", "subscription.trial_ended")


def test_a_job_that_fails_stops_no_other(database_url: str) -> None:
    done = threading.Event()
    stopping = threading.Event()

    def fails() -> None:
        raise KeyError("a fault of ours")

    jobs = (Job("fails", 0.01, fails), Job("works", 0.01, done.set))
    scheduler = Scheduler(Leadership(database_url, 4712), jobs)
    thread = threading.Thread(target=scheduler.run, args=(stopping,))
    thread.start()
    assert done.wait(30)
    stopping.set()
    thread.join(30)
    assert not thread.is_alive()


def test_two_schedulers_record_each_end_once_and_the_second_takes_over(
    database: Database, redis_url: str, tmp_path: Path
) -> None:
    shop = Shop.open(database.url, redis_url)
    with installation(database.url, database.owner_url, redis_url, tmp_path) as running:
        worker = running.start("worker")
        first = running.start("scheduler")
        eventually(lambda: "leading" in running.said("scheduler"))
        second = running.start("scheduler")
        shop.fill_with_overdue()
        eventually(lambda: len(shop.names(*_ENDS)) == 3, lambda: running.said("worker"))

        assert _heart(database.url).endswith(f":{first.pid}")
        stop(first, signal.SIGKILL)
        shop.subscribe("later", shop.now, status="trialing", trial_end=int(shop.now.timestamp()))
        eventually(lambda: len(shop.names(*_ENDS)) == 4, lambda: running.said("scheduler"))
        eventually(lambda: _heart(database.url).endswith(f":{second.pid}"))
        assert stop(second) == 0
        assert stop(worker) == 0
    assert shop.names("subscription.trial_ended") == ["subscription.trial_ended"] * 2
    shop.services.close()


def _heart(database_url: str) -> str:
    """Who the scheduler's heartbeat says it is."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        row = connection.execute("SELECT holder FROM process_heartbeat").fetchone()
    return row[0] if row else ""
