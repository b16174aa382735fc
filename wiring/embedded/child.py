"""A server process that is our direct child and dies with us."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from wiring.embedded.account import Account
from wiring.offspring import keep_last_log, spawn


class ServerFailed(RuntimeError):
    """A server did not come up or ended by itself; carries the end of its log."""


class Child:
    """One running server: its process, its log and how it is asked to stop."""

    def __init__(self, name: str, account: Account, log: Path, stop_signal: signal.Signals) -> None:
        self.name = name
        self._account = account
        self._log = log
        self._stop_signal = stop_signal
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The process id; an error when it was never started."""
        if self._process is None:
            raise ServerFailed(f"{self.name} is not running")
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self, argv: list[str]) -> None:
        """Start the program; the log of the run before is kept beside the new one."""
        keep_last_log(self._log)
        self._process = spawn(
            argv,
            log=self._log,
            environment=server_environment(),
            last_word=self._stop_signal,
            folder=Path("/"),
            privileges={**self._account.identity, "umask": 0o077},
        )

    def wait_until(self, ready: Callable[[], bool], seconds: float) -> None:
        """Wait for the server to answer; refuse when it ends or takes longer than `seconds`."""
        deadline = time.monotonic() + seconds
        while not ready():
            if not self.running:
                raise ServerFailed(f"{self.name} ended while starting:\n{self.log_tail()}")
            if time.monotonic() > deadline:
                raise ServerFailed(f"{self.name} is not ready in {seconds:g} s:\n{self.log_tail()}")
            time.sleep(0.01)

    def stop(self, seconds: float = 20) -> None:
        """Ask the server to finish its work and end; kill it when it takes longer."""
        process = self._process
        if process is None:
            return
        if process.poll() is None:
            process.send_signal(self._stop_signal)
            try:
                process.wait(seconds)
            except subprocess.TimeoutExpired:
                self.kill()
        self._process = None

    def kill(self) -> None:
        """End the server as a power cut would (SIGKILL) and reap it."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def log_tail(self, lines: int = 15) -> str:
        """The last lines the server wrote."""
        if not self._log.exists():
            return "(no log)"
        return "\n".join(self._log.read_text(errors="replace").splitlines()[-lines:])


def server_environment() -> dict[str, str]:
    """What a server sees of our environment: nothing that could hold a secret or steer it."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C.UTF-8", "TZ": "UTC"}
