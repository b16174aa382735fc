"""API and workers killed at random moments while Stripe tells a story: nothing lost, or double."""

from __future__ import annotations

import random
import subprocess
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

import psycopg
import pytest

from ledger.clock import SystemClock
from ledger.journal.posting_rules import entry_for
from ledger.store.postgres_log import PostgresLog
from projections import checkpoints
from projections.rebuild import rebuild
from projections.registry import PROJECTIONS
from simulation.demo import story
from simulation.demo.account import StripeAccount
from simulation.demo.cast import CAST
from simulation.demo.operator import Operator
from simulation.demo.provider import SEED
from simulation.stripe.account import Habits
from simulation.stripe.server import StripeSimulator
from tests.conftest import Database, NewDatabase
from tests.installation import OPERATOR_KEY, Installation, eventually, installation

_BEGAN = datetime(2026, 5, 22, 9, 30, tzinfo=UTC)
_FEW = tuple(
    person for person in CAST if person.user in {"ada", "chidi", "fatou", "hana", "kaia", "mira"}
)
_SAID = """
    SELECT topic, stream::text, version, effective_at, state::text FROM log_event
    WHERE actor = 'provider:stripe' ORDER BY stream, version
"""
_INBOX = "SELECT status, count(*) FROM webhook_inbox GROUP BY status"


class Killer:
    """Kills one process after the other without warning, and starts each again."""

    def __init__(self, start: Callable[[str], subprocess.Popen[bytes]], seed: int) -> None:
        self._start = start
        self._random = random.Random(seed)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._running = {name: start(name) for name in ("serve", "worker")}
        self.kills: Counter[str] = Counter()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopping.wait(self._random.uniform(0.3, 2.5)):
            name = self._random.choice(sorted(self._running))
            self._running[name].kill()
            self._running[name].wait()
            self._running[name] = self._start(name)
            self.kills[name] += 1


def _tell(running: Installation, seed: int | None) -> Counter[str]:
    """Tell the story to an installation whose processes, given a seed, are killed meanwhile."""
    habits = Habits(after_last_retry="unpaid")
    with (
        StripeSimulator(SEED, _BEGAN, habits=habits) as simulator,
        StripeAccount(simulator.base_url) as account,
    ):
        wanted = {"url": running.webhooks, "enabled_events": ["*"]}
        secret = account.post("/v1/webhook_endpoints", wanted)["secret"]

        def start(name: str) -> subprocess.Popen[bytes]:
            return running.start(name, STRIPE_WEBHOOK_SECRET=secret)

        if seed is None:
            start("worker")
            start("serve")
        killer = Killer(start, seed) if seed is not None else None
        eventually(running.answers, lambda: running.said("serve"))
        with Operator(running.url, OPERATOR_KEY) as operator:
            operator.open_shop()
        killing: AbstractContextManager[Any] = killer or nullcontext()
        with killing:
            story.play(account, _BEGAN, lambda _: None, _FEW)
            eventually(lambda: killer is None or killer.kills.total() >= 6)
        while simulator.redeliver():
            simulator.drain()
        status = simulator.status()
        assert killer is None or status["tries"] > status["delivered"], "no kill hit a delivery"
    eventually(
        lambda: _is_settled(running.database_url, status["events"]), lambda: running.said("worker")
    )
    return killer.kills if killer else Counter()


def _is_settled(database_url: str, told: int) -> bool:
    with psycopg.connect(database_url, autocommit=True) as connection:
        inbox: dict[str, int] = dict(connection.execute(_INBOX).fetchall())
        done = inbox.get("folded", 0) + inbox.get("ignored", 0)
        return done == told and not any(checkpoints.lag(connection).values())


def _said(database_url: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(database_url, autocommit=True) as connection:
        return connection.execute(_SAID).fetchall()


@pytest.mark.long
def test_a_story_told_to_processes_that_die_is_the_story(
    new_database: NewDatabase, redis_url: str, tmp_path: Path
) -> None:
    def run(database: Database, name: str, seed: int | None) -> list[tuple[Any, ...]]:
        folder = tmp_path / name
        folder.mkdir()
        with installation(database.url, database.owner_url, redis_url, folder) as running:
            kills = _tell(running, seed)
            assert seed is None or kills.total() >= 6
        return _said(database.url)

    with new_database() as calm, new_database() as stormy:
        undisturbed = run(calm, "calm", None)
        assert run(stormy, "stormy", 7) == undisturbed
        assert len(undisturbed) > 100
        clock = SystemClock()
        log = PostgresLog(stormy.url, clock, post=entry_for)
        for projection in PROJECTIONS:
            parity = rebuild(log, stormy.url, projection, clock).parity
            assert parity is not None
            assert parity.holds, f"{projection.name} differs in {parity.differing}"
        log.close()
