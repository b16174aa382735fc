"""Keeping the read models up with the log: at once when a hint comes, each second without."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Final

from observability.logs import logger
from projections.base import Projection
from projections.follower import Follower, Hints
from projections.runner import Runner
from wiring.hints import Channel, Listener
from wiring.services import Services

_DRAIN_SECONDS: Final = 10.0
_PAUSE_SECONDS: Final = 1.0

_log = logger(__name__)


class ReadModels:
    """The thread that follows all buckets, and tells the API's caches how far it has come."""

    def __init__(self, services: Services, projections: Sequence[Projection]) -> None:
        self._services = services
        self._hints = Hints()
        runner = Runner(
            services.log,
            services.database_url,
            projections,
            services.clock,
            on_commit=services.projected.positions,
        )
        self._follower = Follower(runner, self._hints)
        self._thread = threading.Thread(target=self._follow, name="follower", daemon=True)
        self._stopping = threading.Event()
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
        self._stopping.set()
        self._follower.stop()
        self._thread.join(_DRAIN_SECONDS)
        if self._listener is not None:
            self._listener.close()

    def _follow(self) -> None:
        while not self._stopping.is_set():
            try:
                self._follower.run()
            except Exception:  # noqa: BLE001 - no fault may leave the read models behind for ever
                _log.exception("following failed")
                self._stopping.wait(_PAUSE_SECONDS)
