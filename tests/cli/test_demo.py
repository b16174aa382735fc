"""`folio demo` as a newcomer meets it: a first start, a second, and ends of every kind."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import httpx2
import pytest

from simulation.demo.account import StripeAccount
from simulation.demo.cast import CAST
from tests.installation import eventually
from wiring.embedded import EmbeddedServers
from wiring.embedded.ports import free_port

_COMMAND: Final = (sys.executable, "-P", "-c", "from cli.main import app; app()", "demo")
_OURS: Final = ("DATABASE_URL", "REDIS_URL", "STRIPE_", "FOLIO_")
# Whom somebody granted what their subscription no longer gives.
_FAVOURED: Final = {"oona"}


class Demo:
    """One run of the demo in a folder of its own."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder = folder
        self.stripe_port = free_port()
        self._output = folder / f"{name}.txt"
        kept = {key: value for key, value in os.environ.items() if not key.startswith(_OURS)}
        ports = {
            "FOLIO_API_PORT": str(free_port()),
            "FOLIO_DEMO_STRIPE_PORT": str(self.stripe_port),
        }
        with self._output.open("wb") as output:
            self.process = subprocess.Popen(
                _COMMAND,
                cwd=folder,
                env={**kept, **ports},
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    @property
    def said(self) -> str:
        return self._output.read_text(errors="replace")

    def welcomed(self) -> bool:
        assert self.process.poll() is None, self.said
        return "Ctrl-C stops everything" in self.said

    def pasted(self) -> list[dict[str, Any]]:
        """What the three curl lines answer."""
        lines = re.findall(r"curl -s .*", self.said)
        answers = []
        for line in lines:
            _, _, _, header, url = shlex.split(line)
            name, value = header.split(": ")
            response = httpx2.get(url, headers={name: value}, trust_env=False)
            assert response.status_code == 200, response.text
            answers.append(response.json())
        return answers

    def stripe(self) -> StripeAccount:
        return StripeAccount(f"http://127.0.0.1:{self.stripe_port}")

    def end(self, number: signal.Signals) -> int:
        self.process.send_signal(number)
        return self.process.wait(60)


@contextmanager
def demo(folder: Path, name: str) -> Iterator[Demo]:
    """A run of the demo that is over after the block."""
    running = Demo(folder, name)
    try:
        yield running
    finally:
        running.process.kill()
        running.process.wait()


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """Where a demo lives; nothing of it stays, not even what root's servers keep elsewhere."""
    yield tmp_path
    EmbeddedServers(tmp_path / ".folio").destroy()


@pytest.mark.long
def test_a_first_start_a_second_start_and_clean_ends(folder: Path) -> None:
    with demo(folder, "first") as running:
        eventually(running.welcomed, lambda: running.said)
        assert "Half a year passes" in running.said
        check, listing, paused = running.pasted()
        assert check["allowed"]
        assert {each["feature"] for each in listing["data"]} >= {"notebooks", "sso", "support"}
        assert (paused["allowed"], paused["reason"]) == (False, "paused")
        _everybody_has_what_stripe_says(running)

        (worker,) = _children(running.process.pid, "worker")
        os.kill(worker, signal.SIGKILL)
        eventually(lambda: "worker ended (signal SIGKILL)" in running.said)
        eventually(lambda: _children(running.process.pid, "worker") not in ([], [worker]))

        everyone = _children(running.process.pid, "")
        assert running.end(signal.SIGINT) == 0
        assert not [pid for pid in everyone if _runs(pid)]

    with demo(folder, "second") as running:
        eventually(running.welcomed, lambda: running.said)
        assert "Half a year passes" not in running.said
        assert running.pasted()[0]["allowed"]
        _everybody_has_what_stripe_says(running)
        assert running.end(signal.SIGTERM) == 0


@pytest.mark.long
def test_a_first_start_that_was_killed_is_made_good_by_the_next(folder: Path) -> None:
    with demo(folder, "killed") as running, running.stripe() as stripe:

        def is_loading() -> bool:
            assert running.process.poll() is None, running.said
            try:
                return bool(stripe.status()["delivered"] > 400)
            except httpx2.HTTPError:
                return False

        eventually(is_loading, lambda: running.said)
        running.end(signal.SIGKILL)

    with demo(folder, "next") as running:
        eventually(running.welcomed, lambda: running.said)
        _everybody_has_what_stripe_says(running)
        operator = (folder / ".folio" / "secrets" / "operator-key").read_text()
        assert _webhooks(running, operator, "failed") == []
        assert running.end(signal.SIGINT) == 0


def _everybody_has_what_stripe_says(running: Demo) -> None:
    """Each customer's access follows from the states of their subscriptions at Stripe."""
    states: defaultdict[str, set[str]] = defaultdict(set)
    with running.stripe() as stripe:
        users = {
            each["id"]: each["metadata"]["folio_external_id"]
            for each in stripe.get("/v1/customers", {"limit": 100})["data"]
        }
        for each in stripe.get("/v1/subscriptions", {"status": "all", "limit": 100})["data"]:
            states[users[each["customer"]]].add(each["status"])
    assert set(states) == {person.user for person in CAST}
    answers = {user: _notebooks(running, user) for user in states}
    wrong = {
        user: (states[user], answer)
        for user, answer in answers.items()
        if answer["allowed"] is not _may(user, states[user], answer)
    }
    assert not wrong


def _may(user: str, states: set[str], answer: dict[str, Any]) -> bool:
    if user in _FAVOURED or states & {"active", "trialing"}:
        return True
    return "past_due" in states and answer["reason"] == "past_due_grace"


def _notebooks(running: Demo, user: str) -> dict[str, Any]:
    diary = json.loads((running.folder / ".folio" / "secrets" / "demo.json").read_text())
    return _ask(
        running, diary["api_key"], "/entitlements/check", customer=user, feature="notebooks"
    )


def _webhooks(running: Demo, operator: str, status: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = _ask(running, operator, "/admin/webhooks", status=status)["data"]
    return found


def _ask(running: Demo, key: str, path: str, **parameters: str) -> dict[str, Any]:
    (base,) = re.findall(r"API +(http\S+)", running.said)
    response = httpx2.get(
        f"{base}{path}",
        params=parameters,
        headers={"Authorization": f"Bearer {key}"},
        trust_env=False,
    )
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


def _children(parent: int, subcommand: str) -> list[int]:
    """The living children of a process, all or those that run a subcommand."""
    found = []
    for line in subprocess.run(
        ["ps", "-ww", "-o", "pid=,stat=,args=", "--ppid", str(parent)],
        capture_output=True,
        text=True,
        check=False,
    ).stdout.splitlines():
        pid, state, arguments = line.split(None, 2)
        if not state.startswith("Z") and arguments.endswith(subcommand):
            found.append(int(pid))
    return found


def _runs(pid: int) -> bool:
    try:
        return bool(Path(f"/proc/{pid}/cmdline").read_bytes())
    except OSError:
        return False
