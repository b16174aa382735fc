"""The demo's processes: started together, started again when one falls, stopped together."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self

from wiring.offspring import keep_last_log, spawn

_LOOK_SECONDS: Final = 0.1
_FIRST_PAUSE: Final = 0.5
_LONGEST_PAUSE: Final = 15.0
_STEADY_SECONDS: Final = 30.0
_STOP_SECONDS: Final = 15.0


@dataclass
class _Child:
    """One process: how it is started, and how its last start went."""

    name: str
    argv: list[str]
    env: Mapping[str, str]
    log: Path
    process: subprocess.Popen[bytes]
    started: float
    pause: float = _FIRST_PAUSE
    again_at: float | None = None
    falls: int = field(default=0)


class Supervisor:
    """Runs processes until it is left; `tell` hears what a user should know.

    Each child writes to a log of its own, ends when we end (however we end), and is started again
    when it falls, after a pause that doubles while it keeps falling.
    """

    def __init__(self, logs: Path, tell: Callable[[str], None]) -> None:
        self._logs = logs
        self._tell = tell
        self._children: dict[str, _Child] = {}
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._watcher = threading.Thread(target=self._watch, name="supervisor", daemon=True)

    def __enter__(self) -> Self:
        self._logs.mkdir(parents=True, exist_ok=True)
        self._watcher.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._watcher.join()
        children = list(self._children.values())
        for child in children:
            if child.process.poll() is None:
                child.process.terminate()
        for child in children:
            _reap(child.process)

    def start(self, name: str, argv: list[str], env: Mapping[str, str]) -> None:
        """Start a process with these variables added to our environment."""
        log = self._logs / f"{name}.log"
        keep_last_log(log)
        whole = {**os.environ, **env}
        process = spawn(argv, log=log, environment=whole)
        child = _Child(name, argv, whole, log, process, time.monotonic())
        with self._lock:
            self._children[name] = child

    def pid(self, name: str) -> int:
        return self._children[name].process.pid

    def falls(self, name: str) -> int:
        """How many times a process has ended by itself."""
        return self._children[name].falls

    def log_of(self, name: str) -> Path:
        return self._children[name].log

    def _watch(self) -> None:
        while not self._stopping.wait(_LOOK_SECONDS):
            with self._lock:
                for child in self._children.values():
                    self._look_after(child)

    def _look_after(self, child: _Child) -> None:
        now = time.monotonic()
        if child.again_at is not None:
            if now >= child.again_at:
                child.process = spawn(child.argv, log=child.log, environment=child.env)
                child.started, child.again_at = now, None
            return
        code = child.process.poll()
        if code is None:
            return
        if now - child.started > _STEADY_SECONDS:
            child.pause = _FIRST_PAUSE
        child.falls += 1
        child.again_at = now + child.pause
        child.pause = min(2 * child.pause, _LONGEST_PAUSE)
        self._tell(f"{child.name} ended ({_reason(code)}) and is started again; see {child.log}")


def _reap(process: subprocess.Popen[bytes]) -> None:
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _reason(code: int) -> str:
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
