"""An installation as it runs on servers: `folio` subcommands as processes of their own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import httpx2

from tests.stripe_messages import SECRET
from wiring.embedded.ports import free_port

OPERATOR_KEY: Final = "the-operator-of-tests"
_FOLIO: Final = (sys.executable, "-P", "-c", "from cli.main import app; app()")
_PATIENCE_SECONDS: Final = 60.0


class Installation:
    """Processes of the product on one database and one Redis; all are gone when it is left."""

    def __init__(self, database_url: str, owner_url: str, redis_url: str, folder: Path) -> None:
        self.port = free_port()
        self.database_url = database_url
        self.processes: list[subprocess.Popen[bytes]] = []
        self._folder = folder
        self._environment = {
            **os.environ,
            "DATABASE_URL": database_url,
            "FOLIO_MIGRATION_DATABASE_URL": owner_url,
            "REDIS_URL": redis_url,
            "FOLIO_API_PORT": str(self.port),
            "FOLIO_OPERATOR_KEY": OPERATOR_KEY,
            "FOLIO_KEY_PEPPER": "pepper-of-tests",
            "STRIPE_WEBHOOK_SECRET": SECRET,
        }

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def webhooks(self) -> str:
        return f"{self.url}/api/v1/webhooks/stripe"

    def start(self, *subcommand: str, **environment: str) -> subprocess.Popen[bytes]:
        """Run a subcommand; what it says goes to a file of its own."""
        log = self._folder / f"{subcommand[0]}-{len(self.processes)}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [*_FOLIO, *subcommand],
                cwd=self._folder,
                env={**self._environment, **environment},
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        self.processes.append(process)
        return process

    def serve(self, **environment: str) -> subprocess.Popen[bytes]:
        """Start the API and wait until it answers."""
        process = self.start("serve", **environment)
        eventually(self.answers, lambda: self.said("serve"))
        return process

    def said(self, subcommand: str) -> str:
        """Everything that processes of a subcommand have logged."""
        logs = sorted(self._folder.glob(f"{subcommand}-*.log"))
        return "\n".join(log.read_text(errors="replace") for log in logs)

    def end(self) -> None:
        for process in self.processes:
            process.kill()
            process.wait()

    def answers(self) -> bool:
        """Whether the API answers now."""
        try:
            return httpx2.get(f"{self.url}/live", trust_env=False).status_code == 200
        except httpx2.HTTPError:
            return False


@contextmanager
def installation(
    database_url: str, owner_url: str, redis_url: str, folder: Path
) -> Iterator[Installation]:
    """An installation without processes yet; none outlives the block."""
    made = Installation(database_url, owner_url, redis_url, folder)
    try:
        yield made
    finally:
        made.end()


def stop(process: subprocess.Popen[bytes], number: signal.Signals = signal.SIGTERM) -> int:
    """End a process by a signal and return its exit code."""
    process.send_signal(number)
    return process.wait(_PATIENCE_SECONDS)


def eventually(holds: Callable[[], bool], otherwise: Callable[[], str] = str) -> None:
    """Wait until something holds; a generous limit ends a test that would wait for ever."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < deadline, otherwise() or "it never came to hold"
        time.sleep(0.05)
