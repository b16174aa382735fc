"""A thread that does one thing again and again until it is told to stop."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final

from ledger.errors import FolioError
from observability.logs import logger
from observability.metrics import Tally

_FIRST_PAUSE: Final = 0.1
_LONGEST_PAUSE: Final = 5.0

_log = logger(__name__)
_failures = Tally(
    "folio_loop_failures", "Rounds of a background loop that failed.", loop=("follower", "sweeper")
)


class Loop:
    """One background task: rounds that come when it is woken, or `every` seconds by itself.

    A round returns whether there is more to do at once. One that fails is logged and tried again
    after a pause that doubles up to five seconds: nothing a round does may end the loop.
    """

    def __init__(self, name: str, every: float, work: Callable[[], bool]) -> None:
        self._name = name
        self._every = every
        self._work = work
        self._woken = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def wake(self) -> None:
        """Begin the next round now."""
        self._woken.set()

    def stop(self, seconds: float = 10) -> bool:
        """Let the present round finish; False when it takes longer than `seconds`."""
        self._stopping.set()
        self._woken.set()
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def _run(self) -> None:
        pause = _FIRST_PAUSE
        while not self._stopping.is_set():
            self._woken.clear()
            try:
                more = self._work()
            except Exception as error:  # noqa: BLE001 - whatever it is, the next round is due
                _failures.add(loop=self._name)
                _log.warning("round failed", loop=self._name, **_told(error))
                self._stopping.wait(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)
                continue
            pause = _FIRST_PAUSE
            if not more:
                self._woken.wait(self._every)


def _told(error: Exception) -> dict[str, object]:
    """What the log says of an error: our own need no trace, a stranger's does."""
    if isinstance(error, FolioError):
        return {"error": str(error)}
    return {"error": f"{type(error).__name__}: {error}", "exc_info": True}
