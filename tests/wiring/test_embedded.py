"""The embedded servers: they keep what they were given, and never outlive their process."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import redis

from wiring.embedded import AlreadyRunning, EmbeddedServers

# Starts servers, says who they are, then waits to be ended from outside.
_SUPERVISOR = """
import sys, time
from pathlib import Path
from wiring.embedded import EmbeddedServers
with EmbeddedServers(Path(sys.argv[1]), durable=False) as servers:
    print(servers.postgres.pid, servers.valkey.pid, servers.owner_database_url, flush=True)
    time.sleep(600)
"""


@pytest.fixture(scope="module")
def data_dir() -> Iterator[Path]:
    """One data directory for all these tests: making a database cluster takes longest."""
    folder = Path(tempfile.gettempdir()) / f"folio-embedded-{secrets.token_hex(4)}"
    yield folder
    EmbeddedServers(folder).destroy()


def test_data_persist_from_run_to_run(data_dir: Path) -> None:
    with EmbeddedServers(data_dir) as servers:
        with psycopg.connect(servers.database_url) as connection:
            role = connection.execute("SELECT current_user").fetchone()
            fsync = connection.execute("SHOW fsync").fetchone()
        _run(servers.owner_database_url, "CREATE TABLE kept_over_runs AS SELECT 42 AS n")
        with redis.Redis.from_url(servers.redis_url) as client:
            client.set("kept", "42")
    assert (role, fsync) == (("folio_app",), ("on",))

    with EmbeddedServers(data_dir) as servers:
        assert _value(servers.owner_database_url, "SELECT n FROM kept_over_runs") == 42
        with redis.Redis.from_url(servers.redis_url) as client:
            assert client.get("kept") == b"42"


def test_a_killed_database_comes_back_with_every_committed_row(data_dir: Path) -> None:
    with EmbeddedServers(data_dir, durable=False) as servers:
        url = servers.owner_database_url
        _run(url, "CREATE TABLE kept_over_a_crash (n int)")
        with psycopg.connect(url, autocommit=True) as connection:
            for n in range(50):
                connection.execute("INSERT INTO kept_over_a_crash VALUES (%s)", [n])
            servers.kill_postgres()
            with pytest.raises(psycopg.OperationalError):
                connection.execute("SELECT 1")
        servers.restart_postgres()
        assert servers.owner_database_url == url
        assert _value(url, "SELECT count(*) FROM kept_over_a_crash") == 50


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's death signal is Linux's")
@pytest.mark.parametrize("ending", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_the_end_of_the_supervisor_is_the_end_of_the_servers(
    data_dir: Path, ending: signal.Signals
) -> None:
    supervisor, pids, url = _start_supervisor(data_dir)
    _run(url, f"CREATE TABLE kept_{ending.name} AS SELECT 1 AS n")

    supervisor.send_signal(ending)
    supervisor.wait()
    _wait_until_gone(pids)

    with EmbeddedServers(data_dir, durable=False) as servers:
        assert _value(servers.owner_database_url, f"SELECT n FROM kept_{ending.name}") == 1


def test_a_start_right_after_the_kill_waits_for_the_old_servers_to_leave(data_dir: Path) -> None:
    supervisor, _, url = _start_supervisor(data_dir)
    _run(url, "CREATE TABLE kept_over_a_kill AS SELECT 1 AS n")
    supervisor.kill()
    supervisor.wait()

    with EmbeddedServers(data_dir, durable=False) as servers:
        assert _value(servers.owner_database_url, "SELECT n FROM kept_over_a_kill") == 1


def test_a_dead_database_that_nobody_reaped_is_not_in_the_way(data_dir: Path) -> None:
    with EmbeddedServers(data_dir, durable=False) as servers:
        pid_file = _pid_file(servers)
        left_behind = pid_file.read_text().splitlines()
    dead = subprocess.Popen([sys.executable, "-c", ""])
    os.waitid(os.P_PID, dead.pid, os.WEXITED | os.WNOWAIT)  # ended, and stays a zombie
    pid_file.write_text("\n".join([str(dead.pid), *left_behind[1:]]) + "\n")

    with EmbeddedServers(data_dir, durable=False) as servers:
        assert _value(servers.owner_database_url, "SELECT 1") == 1
    dead.wait()


def test_one_data_directory_has_one_supervisor(data_dir: Path) -> None:
    supervisor, _, url = _start_supervisor(data_dir)
    with pytest.raises(AlreadyRunning, match=str(supervisor.pid)):
        EmbeddedServers(data_dir).start()
    assert _value(url, "SELECT 1") == 1
    supervisor.terminate()
    supervisor.wait()


def test_servers_outlive_the_thread_that_started_them(data_dir: Path) -> None:
    servers = EmbeddedServers(data_dir, durable=False)
    starter = threading.Thread(target=servers.start)
    starter.start()
    starter.join()
    time.sleep(0.1)
    assert _value(servers.owner_database_url, "SELECT 1") == 1
    servers.stop()


def test_strangers_are_refused(data_dir: Path) -> None:
    with EmbeddedServers(data_dir, durable=False) as servers:
        with pytest.raises(psycopg.OperationalError, match="authentication failed"):
            psycopg.connect(servers.database_url, password="guessed")
        wrong = servers.redis_url.replace("redis://:", "redis://:guessed")
        with (
            redis.Redis.from_url(wrong, retry=None) as client,
            pytest.raises(redis.AuthenticationError),
        ):
            client.ping()
        secrets_folder = data_dir / "secrets"
        assert stat.S_IMODE(secrets_folder.stat().st_mode) == 0o700
        assert {stat.S_IMODE(path.stat().st_mode) for path in secrets_folder.iterdir()} == {0o600}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root lends its servers another account")
def test_root_opens_none_of_its_folders_to_the_servers() -> None:
    private = Path(tempfile.mkdtemp())
    try:
        servers = EmbeddedServers(private / "data", durable=False)
        with servers:
            assert _value(servers.owner_database_url, "SELECT 1") == 1
            owner = Path(f"/proc/{servers.postgres.pid}").stat().st_uid
        assert owner != 0
        assert stat.S_IMODE(private.stat().st_mode) == 0o700
        servers.destroy()
    finally:
        shutil.rmtree(private)


def _start_supervisor(data_dir: Path) -> tuple[subprocess.Popen[str], list[int], str]:
    supervisor = subprocess.Popen(
        [sys.executable, "-c", _SUPERVISOR, str(data_dir)], stdout=subprocess.PIPE, text=True
    )
    assert supervisor.stdout is not None
    with supervisor.stdout as output:
        postgres, valkey, url = output.readline().split()
    return supervisor, [int(postgres), int(valkey)], url


def _pid_file(servers: EmbeddedServers) -> Path:
    path = _value(servers.owner_database_url, "SHOW data_directory")
    return Path(str(path)) / "postmaster.pid"


def _run(url: str, statement: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement)


def _value(url: str, query: str) -> object:
    with psycopg.connect(url, autocommit=True) as connection:
        row = connection.execute(query).fetchone()
    return None if row is None else row[0]


def _wait_until_gone(pids: list[int]) -> None:
    deadline = time.monotonic() + 30
    while any(_alive(pid) for pid in pids):
        assert time.monotonic() < deadline, f"still running: {pids}"
        time.sleep(0.02)


def _alive(pid: int) -> bool:
    try:
        return bool(Path(f"/proc/{pid}/cmdline").read_bytes())
    except OSError:
        return False
