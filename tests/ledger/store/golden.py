"""One line for every version of every event ever written: what was stored must stay readable.

`python -m tests.ledger.store.golden --write` adds the lines that are missing; lines are never
edited, because they stand for rows that nobody can edit.
"""

from __future__ import annotations

import sys
import types
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from typing import NamedTuple, Union, get_args, get_origin, get_type_hints
from uuid import UUID

import msgspec

from ledger.events.base import Event, event_classes
from ledger.events.catalog import Feature, FeatureKind, MergeRule
from ledger.period import Period
from ledger.store.codec import encode_event

GOLDEN = Path(__file__).with_name("golden_events.jsonl")

# What is particular about the values it is made of.
_PARTICULAR: dict[type, object] = {
    Period: Period(datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC)),
    Feature: Feature(
        key="support", kind=FeatureKind.ENUM, merge=MergeRule.HIGHEST, ranks=("mail", "phone")
    ),
}


class Line(NamedTuple):
    """A stored event: its name, its version and its state as it was written."""

    topic: str
    version: int
    state: bytes


def golden_lines() -> list[Line]:
    """The lines of the file."""
    lines = [
        msgspec.json.decode(line, type=tuple[str, int, msgspec.Raw])
        for line in GOLDEN.read_bytes().splitlines()
    ]
    return [Line(topic, version, bytes(state)) for topic, version, state in lines]


def missing_lines() -> list[Line]:
    """A line for each event class that the file does not have in its present version."""
    known = {(line.topic, line.version) for line in golden_lines()}
    return [
        Line(name, cls.VERSION, encode_event(example_of(cls)))
        for name, cls in sorted(event_classes().items())
        if (name, cls.VERSION) not in known
    ]


def example_of(cls: type[Event]) -> Event:
    """An event with every field filled in, so that the line shows all it can hold."""
    made = _example(cls, cls.NAME)
    assert isinstance(made, cls)
    return made


def _example(kind: object, name: str) -> object:
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in {Union, types.UnionType}:
        return _example(next(one for one in arguments if one is not type(None)), name)
    if origin is tuple:
        return tuple(_example(one, name) for one in arguments if one is not ...)
    if origin in {frozenset, set}:
        return origin([_example(arguments[0], name)])
    if origin is not None and issubclass(origin, dict):
        return {_example(arguments[0], name): _example(arguments[1], name)}
    assert isinstance(kind, type), (kind, name)
    if kind in _PARTICULAR:
        return _PARTICULAR[kind]
    if is_dataclass(kind):
        hints = get_type_hints(kind)
        return kind(**{one.name: _example(hints[one.name], one.name) for one in fields(kind)})
    return _leaf(kind, name)


def _leaf(kind: type, name: str) -> object:
    if issubclass(kind, Enum):
        return next(iter(kind))
    leaves: dict[type, object] = {
        bool: True,
        int: 3,
        str: "usd" if name == "currency" else name,
        bytes: name.encode(),
        UUID: UUID("0197f3a0-1c00-7a10-8000-000000000001"),
        datetime: datetime(2026, 1, 31, 12, 30, 15, 123456, tzinfo=UTC),
    }
    return leaves[kind]


def main() -> None:
    missing = missing_lines()
    if "--write" in sys.argv:
        with GOLDEN.open("ab") as file:
            for topic, version, state in missing:
                file.write(msgspec.json.encode((topic, version, msgspec.Raw(state))) + b"\n")
    sys.stdout.write(f"{len(missing)} missing\n")


if __name__ == "__main__":
    main()
