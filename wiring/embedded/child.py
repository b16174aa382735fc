"""A server process that is our direct child and dies with us."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from wiring.embedded.account import Account

_PR_SET_PDEATHSIG: Final = 1
_LIBC: Final = ctypes.CDLL(None) if sys.platform == "linux" else None

# Linux sends the death signal when the *thread* that started a child ends. One thread that lives
# as long as the process starts them all, so that a caller's short-lived thread kills nothing.
_STARTER: Final = ThreadPoolExecutor(max_workers=1, thread_name_prefix="embedded-servers")


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
        if self._log.exists():
            self._log.replace(self._log.with_suffix(".previous.log"))
        self._process = _STARTER.submit(self._spawn, argv).result()

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

    def _spawn(self, argv: list[str]) -> subprocess.Popen[bytes]:
        parent = os.getpid()

        def die_with_parent() -> None:
            if _LIBC is not None:
                _LIBC.prctl(_PR_SET_PDEATHSIG, int(self._stop_signal))
                if os.getppid() != parent:
                    os._exit(1)

        with self._log.open("wb") as log:
            # A session of its own: Ctrl-C in the terminal reaches us, and we stop the servers last.
            return subprocess.Popen(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd="/",
                env=server_environment(),
                start_new_session=True,
                umask=0o077,
                preexec_fn=die_with_parent,  # noqa: PLW1509 - only prctl, resolved before the fork
                **self._account.identity,
            )


def server_environment() -> dict[str, str]:
    """What a server sees of our environment: nothing that could hold a secret or steer it."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C.UTF-8", "TZ": "UTC"}
