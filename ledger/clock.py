"""The only source of now."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Something that tells the present instant, in UTC."""

    def now(self) -> datetime: ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)


class ManualClock:
    """A clock that stands still until it is moved; for tests and simulations."""

    def __init__(self, start: datetime) -> None:
        if start.tzinfo is None:
            raise ValueError("a clock needs a zone")
        self._now = start.astimezone(UTC)

    def now(self) -> datetime:
        return self._now

    def move_to(self, instant: datetime) -> None:
        """Move to an instant; never backwards."""
        if instant < self._now:
            raise ValueError("a clock never goes back")
        self._now = instant.astimezone(UTC)

    def advance(self, by: timedelta) -> None:
        self.move_to(self._now + by)


def from_unix(seconds: int) -> datetime:
    """The instant a provider wrote as whole seconds since 1970."""
    return datetime.fromtimestamp(seconds, UTC)
