"""Keeps a runner running: at once on a hint, everywhere each second, hint or not."""

from __future__ import annotations

import threading
import time
from collections.abc import Collection
from typing import Final

from ledger.errors import Unavailable
from observability.logs import logger
from projections.runner import Runner

_SWEEP_SECONDS: Final = 1.0
_PAUSE_WHEN_DOWN: Final = 0.5
# What a batch costs hardly depends on its size: under load it pays to let the next one gather.
_REST_SECONDS: Final = 0.01

_log = logger(__name__)


class Hints:
    """Buckets in which something may have happened; from any thread, for one follower."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._buckets: set[int] = set()
        self._closed = False

    def give(self, buckets: Collection[int]) -> None:
        """Say that these buckets may have new events."""
        with self._changed:
            self._buckets.update(buckets)
            self._changed.notify()

    def take(self, timeout: float) -> frozenset[int]:
        """The buckets named since the last time, waiting at most `timeout` seconds for one."""
        with self._changed:
            self._changed.wait_for(lambda: self._buckets or self._closed, max(timeout, 0))
            taken = frozenset(self._buckets)
            self._buckets.clear()
        return taken

    def close(self) -> None:
        """Wake whoever waits, from now on without delay."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()


class Follower:
    """A loop around a runner: hints make it quick, the sweep right, and rests cheap."""

    def __init__(self, runner: Runner, hints: Hints, *, sweep_seconds: float = _SWEEP_SECONDS):
        self._runner = runner
        self._hints = hints
        self._sweep_seconds = sweep_seconds
        self._stopping = threading.Event()

    def stop(self) -> None:
        """Make `run` return after the batch in hand."""
        self._stopping.set()
        self._hints.close()

    def run(self) -> None:
        """Follow the log until stopped; a database that is away is waited for."""
        next_sweep = time.monotonic()
        while not self._stopping.is_set():
            hinted = self._hints.take(next_sweep - time.monotonic())
            sweeping = time.monotonic() >= next_sweep
            if sweeping:
                next_sweep = time.monotonic() + self._sweep_seconds
            try:
                if self._run_through(None if sweeping else hinted):
                    self._stopping.wait(_REST_SECONDS)
            except Unavailable as error:
                _log.warning("read models wait", reason=str(error))
                self._stopping.wait(_PAUSE_WHEN_DOWN)
        self._runner.close()

    def _run_through(self, buckets: frozenset[int] | None) -> bool:
        """Take in all there is, in these buckets or everywhere; whether there was anything."""
        if buckets is not None and not buckets:
            return False
        found = False
        while not self._stopping.is_set() and self._runner.run_once(buckets):
            found = True
        return found
