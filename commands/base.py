"""What a command is, what a handler sees, and the decision it returns.

A handler is load, decide, return: it calls no clock, writes no SQL, commits nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any, ClassVar, Generic, TypeVar, cast
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from ledger.errors import NotFound
from ledger.events.base import Decided, Happening, NewEvent, RecordedEvent
from ledger.facts import Fact
from ledger.store.event_log import EventLog

S = TypeVar("S")


class Command(BaseModel):
    """A wish, in the imperative; `key` makes it safe to send again."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)
    NOT_ASKED: ClassVar[frozenset[str]] = frozenset()
    """Fields that we fill in ourselves: they do not make it another input."""

    key: str | None = None

    def key_scope(self) -> UUID | None:
        """The project within which the key is known; None when the command takes no key."""
        return None

    def input_hash(self) -> bytes:
        """The hash of what is asked for, whatever key it is asked under."""
        asked = self.model_dump_json(exclude={"key", *self.NOT_ASKED})
        return hashlib.blake2b(f"{type(self).__name__}\n{asked}".encode(), digest_size=32).digest()


class ProjectCommand(Command):
    """A command within one project."""

    project: UUID

    def key_scope(self) -> UUID | None:
        return self.project


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who asks: an actor such as `app:<id>` or `provider:stripe`, within which story, and why."""

    actor: str
    correlation: UUID
    causation: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Decided events for one stream that stood at `version`."""

    stream: UUID
    version: int
    events: tuple[Decided, ...]

    def new_events(self) -> tuple[NewEvent, ...]:
        return tuple(
            NewEvent(
                stream=self.stream,
                version=self.version + place,
                event=decided.event,
                effective_at=decided.effective_at,
            )
            for place, decided in enumerate(self.events, start=1)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What a handler decided: changes to streams of one owner's bucket, possibly none."""

    project: UUID
    owner: UUID
    changes: tuple[Change, ...]
    ids: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def events(self) -> tuple[NewEvent, ...]:
        return tuple(new for change in self.changes for new in change.new_events())


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded(Generic[S]):
    """A stream folded to its state, with the version and the project it stands at."""

    stream: UUID
    version: int
    state: S | None
    project: UUID | None
    owner: UUID | None
    causes: frozenset[str] = frozenset()

    def heard(self, fact: Fact) -> bool:
        """Whether the message of this fact has already had its say in the stream."""
        return fact.source in self.causes

    def then(self, events: tuple[Decided, ...]) -> Change:
        return Change(stream=self.stream, version=self.version, events=events)

    def require(self, kind: str, project: UUID) -> S:
        """The state; NotFound when the stream is empty or another project's."""
        if self.state is None or self.project != project:
            raise NotFound(kind, str(self.stream))
        return self.state


Evolve = Callable[[S | None, Happening], S]


class Context:
    """What a handler may see: the instant it decides at, and streams of the log.

    What one command of a chain has read, the next need not read again. `settled` keeps states that
    never change, for as long as the process lives.
    """

    def __init__(
        self, log: EventLog, now: datetime, settled: MutableMapping[UUID, object] | None = None
    ) -> None:
        self.now = now
        self._log = log
        self._seen: dict[UUID, list[RecordedEvent]] = {}
        self._settled = {} if settled is None else settled

    def prefetch(self, *streams: UUID) -> None:
        """Read several streams in one question; later loads of them are free."""
        wanted = [
            stream for stream in streams if stream not in self._seen and stream not in self._settled
        ]
        if wanted:
            self._seen.update(self._log.streams(wanted))

    def load(self, evolve: Evolve[S], stream: UUID) -> Loaded[S]:
        """A stream folded to its present state."""
        if stream not in self._seen:
            self._seen[stream] = self._log.stream(stream)
        history = self._seen[stream]
        state: S | None = None
        for recorded in history:
            state = evolve(state, recorded)
        first = history[0] if history else None
        return Loaded(
            stream=stream,
            version=history[-1].version if history else 0,
            state=state,
            project=first.project if first else None,
            owner=first.owner if first else None,
            causes=frozenset(one.causation for one in history if one.causation),
        )

    def load_settled(self, evolve: Evolve[S], stream: UUID) -> S | None:
        """The state of a stream that never changes once it is there; None while it is not."""
        known = self._settled.get(stream)
        if known is None:
            known = self.load(evolve, stream).state
            if known is not None:
                self._settled[stream] = known
        return cast("S | None", known)

    def forget(self) -> None:
        """Read everything anew: somebody, perhaps we ourselves, has appended since."""
        self._seen.clear()


Handlers = Mapping[type[Command], Callable[[Any, Context], Decision]]
"""Which handler carries out which command; each handler takes its own command alone."""
