"""The two processes of this room, from their parts to their clean end."""

from __future__ import annotations

import signal
import threading
from contextlib import ExitStack
from types import FrameType
from typing import Final

from observability.logs import logger
from projections.registry import PROJECTIONS
from wiring.services import Services
from workers.broker import WorkerThreads, make_broker
from workers.deadlines import Deadlines
from workers.follower import ReadModels
from workers.heartbeat import beat
from workers.leadership import Leadership
from workers.outdated import Renewal
from workers.scheduler import SEAT, Job, Scheduler
from workers.sweeper import make_sweeper

DEFAULT_THREADS: Final = 4

_log = logger(__name__)


def stop_on_signal() -> threading.Event:
    """An event that SIGTERM and SIGINT set: what is begun is finished, nothing new is begun."""
    stopping = threading.Event()

    def stop(number: int, frame: FrameType | None) -> None:
        _log.info("stopping", signal=signal.Signals(number).name)
        stopping.set()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    return stopping


def run_worker(
    services: Services, stopping: threading.Event, threads: int = DEFAULT_THREADS
) -> None:
    """Follow the log, sweep the inbox and carry out messages, until told to stop."""
    broker = make_broker(services.redis_url)
    Deadlines(services, broker)
    with ExitStack() as running:
        for part in (
            ReadModels(services, PROJECTIONS),
            Renewal(services, PROJECTIONS),
            make_sweeper(services.intake),
            WorkerThreads(broker, threads),
        ):
            part.start()
            running.callback(part.stop)
        _log.info("worker runs", threads=threads)
        stopping.wait()
    broker.close()
    _log.info("worker stopped")


def run_scheduler(services: Services, stopping: threading.Event) -> None:
    """Run the scheduled jobs whenever this process is the one to do so, until told to stop."""
    broker = make_broker(services.redis_url)
    jobs = (
        Job("deadlines", 1.0, Deadlines(services, broker).nominate),
        Job("heartbeat", 5.0, lambda: _beat(services)),
    )
    _log.info("scheduler runs")
    Scheduler(Leadership(services.database_url, SEAT), jobs).run(stopping)
    broker.close()
    _log.info("scheduler stopped")


def _beat(services: Services) -> None:
    with services.database.connection() as connection:
        beat(connection, "scheduler", services.clock.now())
