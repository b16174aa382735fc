"""Fewer garbage collections while large batches pass through: they are free of cycles."""

from __future__ import annotations

import gc
import threading
from types import TracebackType
from typing import Final

_ALLOCATIONS: Final = 500_000


class RareCollections:
    """While any thread is inside, the collector looks only after many allocations.

    Thresholds belong to the whole process, so the first to enter sets and the last restores them.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self._usual = gc.get_threshold()

    def __enter__(self) -> None:
        with self._lock:
            self._inside += 1
            if self._inside == 1:
                self._usual = gc.get_threshold()
                gc.set_threshold(max(_ALLOCATIONS, self._usual[0]), *self._usual[1:])

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._lock:
            self._inside -= 1
            if self._inside == 0:
                gc.set_threshold(*self._usual)


RARE_COLLECTIONS: Final = RareCollections()
