"""Keeping the read models up with the log: at once when a hint comes, each second without."""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping, Sequence
from typing import Final

from ledger.events.base import RecordedEvent
from ledger.store.event_log import EventLog
from projections.base import Projection
from projections.follower import Follower, Hints
from projections.runner import Runner
from wiring.hints import Channel, Listener, Teller
from wiring.services import Services

_DRAIN_SECONDS: Final = 10.0


class ReadModels:
    """The thread that follows all buckets, and tells the API's caches how far it has come."""

    def __init__(self, services: Services, projections: Sequence[Projection]) -> None:
        self._services = services
        self._hints = Hints()
        reading = _Reading(services.log)
        runner = _TellingRunner(reading, services, projections)
        self._follower = Follower(runner, self._hints)
        self._thread = threading.Thread(target=self._follower.run, name="follower", daemon=True)
        self._listener: Listener | None = None

    def start(self) -> None:
        self._thread.start()
        self._listener = Listener(
            self._services.redis_url,
            Channel.APPENDED,
            heard=self._hints.give,
            missed=lambda: None,  # the sweep of each second finds what was told meanwhile
        )

    def stop(self) -> None:
        """Finish the batch in hand."""
        self._follower.stop()
        self._thread.join(_DRAIN_SECONDS)
        if self._listener is not None:
            self._listener.close()


class _Reading:
    """The log as the runner reads it, noting how far."""

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self._reached: dict[int, int] = {}

    def read(self, after: Mapping[int, int], limit: int) -> list[RecordedEvent]:
        events = self._log.read(after, limit)
        self._reached.update({event.bucket: event.position for event in events})
        return events

    def take_reached(self) -> dict[int, int]:
        reached, self._reached = self._reached, {}
        return reached


class _TellingRunner(Runner):
    """A runner that tells the positions it has brought the read models to, once they are there."""

    def __init__(
        self, reading: _Reading, services: Services, projections: Sequence[Projection]
    ) -> None:
        super().__init__(reading, services.database_url, projections, services.clock)
        self._reading = reading
        self._projected: Teller = services.projected

    def run_once(self, buckets: Collection[int] | None = None) -> int:
        done = super().run_once(buckets)
        reached = self._reading.take_reached()
        if done and reached:
            self._projected.positions(reached)
        return done
