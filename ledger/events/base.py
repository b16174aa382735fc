"""What an event is, the register of every kind, and the upcasts from older versions.

An event's name is permanent. When its shape must change, VERSION goes up and an upcast turns the
old stored fields into the present ones on read; what was written is never touched.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import ClassVar, Protocol, TypeVar, dataclass_transform
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Event:
    """A recorded fact of ours, in the past tense."""

    NAME: ClassVar[str]
    VERSION: ClassVar[int] = 1


class Happening(Protocol):
    """An event and when it counts: all a fold needs to know."""

    @property
    def event(self) -> Event: ...

    @property
    def effective_at(self) -> datetime: ...


@dataclass(frozen=True, slots=True)
class Decided:
    """An event a decider returns, and when it counts."""

    event: Event
    effective_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEvent:
    """An event on its way into the log: its stream, the version it becomes, and when it counts."""

    stream: UUID
    version: int
    event: Event
    effective_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedEvent:
    """An event as the log keeps it.

    `position` is dense in its bucket, `version` is dense in its stream (the first is 1).
    `recorded_at` is our clock and never decreases in a bucket; `effective_at` is when it counts.
    """

    bucket: int
    position: int
    stream: UUID
    version: int
    event: Event
    project: UUID
    owner: UUID
    recorded_at: datetime
    effective_at: datetime
    actor: str
    correlation: UUID
    causation: str | None


E = TypeVar("E", bound=Event)
StoredFields = dict[str, object]
Upcast = Callable[[StoredFields], StoredFields]

_classes: dict[str, type[Event]] = {}
_upcasts: dict[tuple[str, int], Upcast] = {}


@dataclass_transform(frozen_default=True, kw_only_default=True)
def event(cls: type[E]) -> type[E]:
    """Declare an event: a frozen record, registered under its permanent name."""
    declared = dataclass(frozen=True, slots=True, kw_only=True)(cls)
    if cls.NAME in _classes:
        raise ValueError(f"two events are named {cls.NAME}")
    _classes[cls.NAME] = declared
    return declared


def upcast(name: str, version: int) -> Callable[[Upcast], Upcast]:
    """Declare how the stored fields of `name` at `version` become those of the next version."""

    def declare(function: Upcast) -> Upcast:
        if (name, version) in _upcasts:
            raise ValueError(f"two upcasts lead from {name} {version}")
        _upcasts[name, version] = function
        return function

    return declare


def event_classes() -> Mapping[str, type[Event]]:
    """Every kind of event by its name."""
    _read_every_noun()
    return _classes


@cache
def _read_every_noun() -> None:
    """Import all of ledger/events, so that no reader misses an event nobody has used yet."""
    package = import_module(__package__)
    for noun in iter_modules(package.__path__):
        import_module(f"{__package__}.{noun.name}")


def upcast_fields(name: str, version: int, fields: StoredFields) -> StoredFields:
    """The stored fields of an older version as the present version has them."""
    for step in range(version, _classes[name].VERSION):
        fields = _upcasts[name, step](fields)
    return fields
