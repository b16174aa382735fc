"""Writers and PostgreSQL killed at random moments: nothing acknowledged is lost or done twice."""

from __future__ import annotations

import random
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger.clock import SystemClock
from ledger.errors import OutcomeUnknown, Unavailable
from ledger.journal.posting_rules import entry_for
from ledger.store.postgres_log import PostgresLog
from tests.conftest import Database
from tests.faults import processes
from tests.faults.log_writer import key_of, owner_of
from tests.ledger.store.samples import append_of, identified, new_events, some_owner
from wiring.embedded import EmbeddedServers
from wiring.migrate import migrate


class Writer:
    """A keyed writer in a process of its own, which can be killed and sent on."""

    def __init__(self, url: str, name: str, appends: int, folder: Path) -> None:
        self._url = url
        self._appends = appends
        self._acknowledged = folder / f"{name}.txt"
        self._acknowledged.touch()
        self.name = name
        self.process = self._start()

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def go_on(self) -> None:
        """Start again from the first append that was not acknowledged."""
        self.process = self._start()

    def acknowledged(self) -> int:
        """How many appends were acknowledged; a line that a kill cut short was not."""
        return self._acknowledged.read_bytes().count(b"\n")

    def _start(self) -> subprocess.Popen[bytes]:
        done = self.acknowledged()
        return processes.start(
            "tests.faults.log_writer",
            "keyed",
            self._url,
            self.name,
            done,
            self._appends - done,
            output=self._acknowledged,
        )


@pytest.fixture
def own_servers(tmp_path: Path) -> Iterator[EmbeddedServers]:
    """Servers of this test alone, to be killed."""
    servers = EmbeddedServers(tmp_path / "servers", durable=False)
    servers.start()
    try:
        migrate(servers.owner_database_url)
        yield servers
    finally:
        servers.destroy()


@pytest.mark.parametrize(
    ("kills", "appends"), [(8, 600), pytest.param(60, 5000, marks=pytest.mark.long)]
)
def test_killed_writers_lose_and_repeat_nothing(
    database: Database, tmp_path: Path, kills: int, appends: int
) -> None:
    chance = random.Random(7)
    writers = [Writer(database.url, f"writer-{n}", appends, tmp_path) for n in range(4)]
    for _ in range(kills):
        time.sleep(chance.uniform(0.3, 0.6))
        victim = chance.choice(writers)
        victim.kill()
        victim.go_on()

    _assert_all_written_once(database.url, writers, appends)


@pytest.mark.parametrize(
    ("kills", "appends"), [(2, 800), pytest.param(15, 8000, marks=pytest.mark.long)]
)
def test_a_killed_postgres_loses_and_repeats_nothing(
    own_servers: EmbeddedServers, tmp_path: Path, kills: int, appends: int
) -> None:
    chance = random.Random(11)
    url = own_servers.database_url
    writers = [Writer(url, f"writer-{n}", appends, tmp_path) for n in range(4)]
    for _ in range(kills):
        time.sleep(chance.uniform(0.5, 1.0))
        own_servers.kill_postgres()
        time.sleep(chance.uniform(0, 0.3))
        own_servers.restart_postgres()

    _assert_all_written_once(url, writers, appends)


def test_a_log_whose_server_went_away_says_so_and_recovers(own_servers: EmbeddedServers) -> None:
    url = own_servers.database_url
    log = PostgresLog(url, SystemClock(), post=entry_for)
    owner = some_owner()
    first = append_of(owner, new_events(owner, identified("a")))
    second = append_of(owner, new_events(owner, identified("b"), after=1))
    log.append(first)

    own_servers.kill_postgres()
    with pytest.raises(OutcomeUnknown):
        log.append(second)
    with pytest.raises(Unavailable) as refused:
        log.append(second)
    with pytest.raises(Unavailable):
        log.stream(owner)
    own_servers.restart_postgres()
    log.append(second)

    assert not isinstance(refused.value, OutcomeUnknown)
    assert [event.event for event in log.stream(owner)] == [identified("a"), identified("b")]
    log.close()


def _assert_all_written_once(url: str, writers: list[Writer], appends: int) -> None:
    with processes.ended([writer.process for writer in writers]):
        for writer in writers:
            assert writer.process.wait(timeout=110) == 0
    log = PostgresLog(url, SystemClock(), post=entry_for)
    for writer in writers:
        assert writer.acknowledged() == appends
        history = log.stream(owner_of(writer.name))
        expected = [identified(key_of(writer.name, number)) for number in range(appends)]
        assert [event.event for event in history] == expected
    log.close()
