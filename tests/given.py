"""Decisions as sentences: given(evolve, history).when(decide).then(events | refusal)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Generic, TypeVar

import pytest

from ledger.errors import FolioError
from ledger.events.base import Decided, Event, Happening

S = TypeVar("S")

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def day(number: float) -> datetime:
    """Noon, so many days after the first of March 2026."""
    return NOON + timedelta(days=number)


def on(number: float, event: Event) -> Decided:
    """An event that counts from that day."""
    return Decided(event, day(number))


@dataclass(frozen=True)
class When(Generic[S]):
    """A decision to be made on a state."""

    state: S
    decide: Callable[[S], tuple[Decided, ...]]

    def then(self, *expected: Decided) -> S:
        """The decision is exactly these events; the state before it is returned for more."""
        assert self.decide(self.state) == expected
        return self.state

    def refused(self, error: type[FolioError], **fields: object) -> None:
        """The decision is this refusal, with these fields."""
        with pytest.raises(error) as caught:
            self.decide(self.state)
        for name, value in fields.items():
            assert getattr(caught.value, name) == value


@dataclass(frozen=True)
class Given(Generic[S]):
    """A state folded from history."""

    state: S

    def when(self, decide: Callable[[S], tuple[Decided, ...]]) -> When[S]:
        return When(self.state, decide)


def given(evolve: Callable[[S | None, Happening], S], *history: Decided) -> Given[S | None]:
    """The state that this history leaves."""
    state: S | None = None
    for happened in history:
        state = evolve(state, happened)
    return Given(state)
