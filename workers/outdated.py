"""Bringing read models of an older version up to this code, while everything else goes on."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Final

import psycopg

from ledger.errors import FolioError
from observability.logs import logger
from projections import builds
from projections.base import Projection
from projections.rebuild import rebuild
from wiring.services import Services
from workers.leadership import Leadership

SEAT: Final = 0x666F6C696F02
_ASK_AGAIN_SECONDS: Final = 5.0

_log = logger(__name__)


class Renewal:
    """A thread that rebuilds outdated read models, in one process at a time.

    Until one is swapped in, queries read the tables of the version before.
    """

    def __init__(self, services: Services, projections: Sequence[Projection]) -> None:
        self._services = services
        self._projections = projections
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="renewal", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Begin no further rebuild; one that runs ends with the process, never swapped in."""
        self._stopping.set()
        self._thread.join(1.0)

    def _run(self) -> None:
        with Leadership(self._services.database_url, SEAT) as leadership:
            while not self._stopping.is_set():
                try:
                    outdated = self._outdated()
                    if not outdated:
                        return
                    if leadership.held():
                        self._rebuild(outdated[0])
                        continue
                except (FolioError, psycopg.Error) as error:
                    _log.warning("rebuild failed", error=str(error).strip())
                self._stopping.wait(_ASK_AGAIN_SECONDS)

    def _outdated(self) -> Sequence[Projection]:
        with self._services.database.connection() as connection:
            return builds.ensure(connection, self._projections)

    def _rebuild(self, projection: Projection) -> None:
        services = self._services
        _log.info("rebuilding", projection=projection.name, version=projection.version)
        done = rebuild(services.log, services.database_url, projection, services.clock)
        _log.info("rebuilt", projection=projection.name, build=done.build.label, events=done.events)
