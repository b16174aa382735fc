"""The library's subscription without LISTEN: it asks again after a moment."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Final, TypeVar

from eventsourcing.persistence import ApplicationRecorder, ListenNotifySubscription

Recorder = TypeVar("Recorder", bound=ApplicationRecorder)

_MOMENT_MS: Final = 20


class PollingSubscription(ListenNotifySubscription[Recorder]):
    """New events of a recorder as they come, at most a moment late."""

    def __init__(self, recorder: Recorder, gt: int | None, topics: Sequence[str]) -> None:
        super().__init__(recorder=recorder, gt=gt, topics=topics)
        self._stopped = threading.Event()
        self._ticking = threading.Thread(target=self._tick, daemon=True)
        self._ticking.start()

    def stop(self) -> None:
        """Stop the subscription."""
        super().stop()
        self._stopped.set()

    def _tick(self) -> None:
        while not self._stopped.wait(_MOMENT_MS / 1000):
            self._has_been_notified.set()
