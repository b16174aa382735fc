"""The demo's parts: its ports, its supervisor, and what it says when it cannot run."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.demo.diary import Diary
from cli.demo.ports import PortTaken, choose_port
from cli.demo.supervisor import Supervisor
from cli.main import app
from commands.project import CreateProject
from tests.conftest import Database
from tests.installation import eventually, installation
from tests.workers.shop import Shop
from wiring.embedded import EmbeddedServers
from wiring.embedded.ports import free_port

_HOST = "127.0.0.1"
_SLEEPS = [sys.executable, "-c", "import time; time.sleep(600)"]
_SUPERVISES = """
import sys, time
from pathlib import Path
from cli.demo.supervisor import Supervisor
with Supervisor(Path(sys.argv[1]), print) as supervisor:
    supervisor.start("child", [sys.executable, "-c", "import time; time.sleep(600)"], {})
    print(supervisor.pid("child"), flush=True)
    time.sleep(600)
"""


def test_a_port_that_was_asked_for_is_taken_or_refused_by_name() -> None:
    with socket.create_server((_HOST, 0)) as busy:
        port = busy.getsockname()[1]
        with pytest.raises(PortTaken, match=f"{port} .* set FOLIO_API_PORT"):
            choose_port(_HOST, port, 8080, "FOLIO_API_PORT")
    free = free_port()
    assert choose_port(_HOST, free, 8080, "FOLIO_API_PORT") == free


def test_a_busy_default_port_gives_the_next_free_one() -> None:
    with socket.create_server((_HOST, 0)) as busy:
        default = busy.getsockname()[1]
        chosen = choose_port(_HOST, None, default, "FOLIO_API_PORT")
    assert default < chosen < default + 20


def test_a_busy_port_is_told_and_nothing_is_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with socket.create_server((_HOST, 0)) as busy:
        port = str(busy.getsockname()[1])
        done = CliRunner().invoke(app, ["demo", "--port", port])
    assert (done.exit_code, f"Port {port}" in done.output) == (2, True)
    assert not (tmp_path / ".folio").exists()


def test_a_second_demo_on_the_same_data_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("DATABASE_URL", "REDIS_URL", "FOLIO_DATA_DIR"):
        monkeypatch.delenv(name, raising=False)
    servers = EmbeddedServers(tmp_path / ".folio", durable=False)
    with servers:
        done = CliRunner().invoke(app, ["demo"])
    servers.destroy()
    assert (done.exit_code, "already runs" in done.output) == (2, True)


@pytest.mark.parametrize("key", ["operator:demo-project", "another"])
def test_a_demo_of_another_data_directory_is_left_alone(
    database: Database, redis_url: str, tmp_path: Path, key: str
) -> None:
    shop = Shop.open(database.url, redis_url)
    shop.dispatch(CreateProject(slug="demo", name="Lumen Notes", key=key))
    shop.services.close()
    with installation(database.url, database.owner_url, redis_url, tmp_path) as running:
        demo = running.start("demo")
        assert demo.wait(90) == 2, running.said("demo")
        assert "loaded from another data directory" in running.said("demo")
    assert not Diary.exists(tmp_path / ".folio")


def test_a_fallen_process_is_started_again_and_told_of(tmp_path: Path) -> None:
    told: list[str] = []
    with Supervisor(tmp_path, told.append) as supervisor:
        supervisor.start("child", _SLEEPS, {})
        first = supervisor.pid("child")
        os.kill(first, signal.SIGKILL)
        eventually(lambda: supervisor.pid("child") != first)
        second = supervisor.pid("child")
        assert supervisor.falls("child") == 1
    assert told[0].startswith("child ended (signal SIGKILL) and is started again")
    assert not _lives(second)


def test_a_process_gets_its_own_log_and_environment(tmp_path: Path) -> None:
    says = [sys.executable, "-c", "import os; print(os.environ['WORD'])"]
    with Supervisor(tmp_path, lambda _: None) as supervisor:
        supervisor.start("child", says, {"WORD": "hello"})
        log = supervisor.log_of("child")
        eventually(lambda: "hello" in log.read_text())


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's death signal is Linux's")
def test_no_process_outlives_a_supervisor_that_was_killed(tmp_path: Path) -> None:
    supervisor = subprocess.Popen(
        [sys.executable, "-c", _SUPERVISES, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert supervisor.stdout is not None
    with supervisor.stdout as output:
        child = int(output.readline())
    assert _lives(child)
    supervisor.kill()
    supervisor.wait()
    eventually(lambda: not _lives(child))


def test_processes_outlive_the_thread_that_started_them(tmp_path: Path) -> None:
    with Supervisor(tmp_path, lambda _: None) as supervisor:
        starter = threading.Thread(target=supervisor.start, args=("child", _SLEEPS, {}))
        starter.start()
        starter.join()
        time.sleep(0.3)
        assert supervisor.falls("child") == 0
        assert _lives(supervisor.pid("child"))


def test_the_diary_keeps_what_it_was_told(tmp_path: Path) -> None:
    diary = Diary.open(tmp_path, began=1_700_000_000)
    diary.api_key = "folio_key"
    diary.keep(tmp_path)
    assert Diary.open(tmp_path, began=1) == diary
    (kept,) = (tmp_path / "secrets").iterdir()
    assert kept.stat().st_mode & 0o777 == 0o600


def _lives(pid: int) -> bool:
    try:
        return bool(Path(f"/proc/{pid}/cmdline").read_bytes())
    except OSError:
        return False
