"""The scheduler: jobs that come round by the clock, in one process at a time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import psycopg

from ledger.errors import FolioError
from observability.logs import logger
from observability.metrics import Level, Tally
from workers.leadership import Leadership

SEAT: Final = 0x666F6C696F01
_ASK_AGAIN_SECONDS: Final = 1.0

_log = logger(__name__)
_leading = Level("folio_scheduler_leading", "1 in the one process that runs scheduled jobs.")
_failed = Tally("folio_scheduled_job_failures", "Scheduled jobs that failed.")


@dataclass(frozen=True)
class Job:
    """Something to do every so many seconds; safe to do twice, as a lost seat may cause."""

    name: str
    every: float
    run: Callable[[], None]


class Scheduler:
    """Runs its jobs while it holds the scheduler's seat; waits for the seat otherwise."""

    def __init__(self, leadership: Leadership, jobs: Sequence[Job]) -> None:
        self._leadership = leadership
        self._jobs = jobs
        self._next = dict.fromkeys((job.name for job in jobs), 0.0)
        self._led = False

    def run(self, stopping: threading.Event) -> None:
        """Go round until told to stop; the seat is free afterwards."""
        with self._leadership:
            while not stopping.is_set():
                stopping.wait(self._round() if self._leads() else _ASK_AGAIN_SECONDS)
        _leading.set(0)

    def _leads(self) -> bool:
        try:
            leads = self._leadership.held()
        except psycopg.OperationalError as error:
            _log.warning("the database does not answer", error=str(error).strip())
            leads = False
        if leads is not self._led:
            _log.info("leading" if leads else "no longer leading")
            _leading.set(int(leads))
            self._led = leads
        return leads

    def _round(self) -> float:
        """Run what is due and return the seconds until the next is."""
        for job in self._jobs:
            if time.monotonic() >= self._next[job.name]:
                self._do(job)
                self._next[job.name] = time.monotonic() + job.every
        return max(0.0, min(self._next.values()) - time.monotonic())

    def _do(self, job: Job) -> None:
        try:
            job.run()
        except FolioError as error:
            _failed.add()
            _log.warning("job failed", job=job.name, error=str(error))
        except Exception:  # noqa: BLE001 - whatever it is, the other jobs go on
            _failed.add()
            _log.exception("job failed", job=job.name)
