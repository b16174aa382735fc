"""The shapes a value of Stripe's API can have, and how to hold a value against one.

A shape answers one question, `faults(value)`: what is wrong with this value here? Closed shapes
refuse what they do not know, so an invented or forgotten field cannot leave the simulator.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, Protocol

_PYTHON_TYPES: Final[dict[str, tuple[type, ...]]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
}


@dataclass(frozen=True)
class Fault:
    """One place where a value leaves its shape."""

    path: str
    problem: str

    def __str__(self) -> str:
        return f"{self.path or '(root)'}: {self.problem}"


class Shape(Protocol):
    """What a value must look like."""

    def faults(self, value: Any, path: str) -> Iterator[Fault]: ...


@dataclass(frozen=True)
class Scalar:
    """A string, an integer, a number or a boolean."""

    kind: str

    def faults(self, value: Any, path: str) -> Iterator[Fault]:
        fits = isinstance(value, _PYTHON_TYPES[self.kind])
        if not fits or (isinstance(value, bool) and self.kind != "boolean"):
            yield Fault(path, f"{value!r} is not a {self.kind}")


@dataclass(frozen=True)
class Choice:
    """One of a list of known constants."""

    values: tuple[Any, ...]

    @cached_property
    def _known(self) -> frozenset[tuple[type, Any]]:
        return frozenset((type(value), value) for value in self.values)

    def faults(self, value: Any, path: str) -> Iterator[Fault]:
        # True == 1 in Python, and Stripe's constants know both kinds.
        if isinstance(value, dict | list) or (type(value), value) not in self._known:
            known = ", ".join(map(str, self.values[:8]))
            yield Fault(path, f"{value!r} is none of the {len(self.values)} known: {known} …")


@dataclass(frozen=True)
class Nullable:
    """A value that may be null or absent."""

    inner: Shape

    def faults(self, value: Any, path: str) -> Iterator[Fault]:
        if value is not None:
            yield from self.inner.faults(value, path)


@dataclass(frozen=True)
class Either:
    """A value of any one of several shapes."""

    options: tuple[Shape, ...]

    def faults(self, value: Any, path: str) -> Iterator[Fault]:
        best: list[Fault] | None = None
        for option in self.options:
            found = list(option.faults(value, path))
            if not found:
                return
            # The option that fits deepest tells most about what is wrong.
            if best is None or max(map(_depth, found)) > max(map(_depth, best)):
                best = found
        yield from best or ()


@dataclass(frozen=True)
class Expandable:
    """A reference: an id, or the whole object when the caller asked for it."""

    inner: Shape

    def faults(self, value: Any, path: str) -> Iterator[Fault]:
        if not isinstance(value, str):
            yield from self.inner.faults(value, path)


@dataclass(frozen=True)
class ArrayOf:
    """A JSON array of one shape."""

    item: Shape

    def faults(self, value: Any, path: str) -> Iterator[Fault]:
        if not isinstance(value, list):
            yield Fault(path, f"{type(value).__name__} is not an array")
            return
        for index, element in enumerate(value):
            yield from self.item.faults(element, f"{path}[{index}]")


@dataclass(frozen=True)
class PageOf:
    """A list object: one page of a collection."""

    item: Shape

    def faults(self, value: Any, path: str) -> Iterator[Fault]:
        if not isinstance(value, dict) or value.get("object") != "list":
            yield Fault(path, "is not a list object")
            return
        if set(value) != {"object", "data", "has_more", "url"}:
            yield Fault(path, f"a list object has other fields: {sorted(value)}")
        yield from Scalar("boolean").faults(value.get("has_more"), f"{path}.has_more")
        yield from Scalar("string").faults(value.get("url"), f"{path}.url")
        yield from ArrayOf(self.item).faults(value.get("data"), f"{path}.data")


@dataclass(frozen=True)
class MapOf:
    """An object whose keys are the caller's, such as metadata."""

    item: Shape

    def faults(self, value: Any, path: str) -> Iterator[Fault]:
        if not isinstance(value, dict):
            yield Fault(path, f"{type(value).__name__} is not a map")
            return
        for key, element in value.items():
            yield from self.item.faults(element, f"{path}.{key}")


@dataclass(frozen=True)
class Anything:
    """A value without a declared shape."""

    def faults(self, value: Any, path: str) -> Iterator[Fault]:
        return iter(())


@dataclass(frozen=True)
class Field:
    """A named place in a record."""

    shape: Shape
    required: bool


class Record:
    """A closed object: declared fields only, and every required one.

    Its fields are read from the source on first use, because shapes refer to each other in circles
    and most of them are never met.
    """

    def __init__(self, name: str, read: Callable[[], dict[str, Field]]) -> None:
        self.name = name
        self._read = read
        self._fields: dict[str, Field] | None = None

    @property
    def fields(self) -> dict[str, Field]:
        if self._fields is None:
            self._fields = self._read()
        return self._fields

    def faults(self, value: Any, path: str) -> Iterator[Fault]:
        if not isinstance(value, dict):
            yield Fault(path, f"{type(value).__name__} is not a {self.name}")
            return
        fields = self.fields
        if value.get("deleted") is True and "deleted" in fields:
            yield from self._faults_of_stub(value, path)
            return
        for name, element in value.items():
            field = fields.get(name)
            where = _inside(path, name)
            if field is None:
                yield Fault(where, f"{self.name} has no such field")
            else:
                yield from field.shape.faults(element, where)
        for name, field in fields.items():
            if field.required and name not in value:
                yield Fault(_inside(path, name), f"{self.name} requires it")

    def _faults_of_stub(self, value: dict[str, Any], path: str) -> Iterator[Fault]:
        """What a deleted object leaves behind: its id, its kind and the word deleted."""
        if not {"id", "object"} <= set(value):
            yield Fault(path, f"a deleted {self.name} keeps its id and kind")
        for name in set(value) - set(self.fields):
            yield Fault(_inside(path, name), f"{self.name} has no such field")


def _inside(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _depth(fault: Fault) -> int:
    return fault.path.count(".") + fault.path.count("[")
