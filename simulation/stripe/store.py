"""The objects of a Stripe account, in memory, in the order of their birth."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Obj = dict[str, Any]
"""A Stripe object as it is kept: references are ids, keys that start with `_` never leave."""


def copied(value: Any) -> Any:
    """A deep copy of a JSON value."""
    if type(value) is dict:
        return {key: copied(element) for key, element in value.items()}
    if type(value) is list:
        return [copied(element) for element in value]
    return value


class Store:
    """Every object by id, every table in order of birth, every child under its parent."""

    def __init__(self) -> None:
        self._objects: dict[str, Obj] = {}
        self._tables: dict[str, dict[str, None]] = {}
        self._children: dict[str, dict[str, None]] = {}
        self._birth: dict[str, int] = {}

    def add(self, obj: Obj, *, under: tuple[str, ...] = ()) -> Obj:
        """Keep a new object, also findable under each of its parents' ids."""
        identifier = obj["id"]
        self._objects[identifier] = obj
        self._birth[identifier] = len(self._birth)
        self._tables.setdefault(obj["object"], {})[identifier] = None
        for parent in under:
            self._children.setdefault(f"{parent}/{obj['object']}", {})[identifier] = None
        return obj

    def adopt(self, obj: Obj, parent: str) -> None:
        """Make an object findable under one more parent."""
        self._children.setdefault(f"{parent}/{obj['object']}", {})[obj["id"]] = None

    def disown(self, obj: Obj, parent: str) -> None:
        self._children.get(f"{parent}/{obj['object']}", {}).pop(obj["id"], None)

    def get(self, identifier: str) -> Obj | None:
        """The object of an id, deleted ones included."""
        return self._objects.get(identifier)

    def one(self, identifier: str) -> Obj:
        """The object of an id that must exist."""
        return self._objects[identifier]

    def birth(self, identifier: str) -> int:
        """The place of an object in the order of all births."""
        return self._birth[identifier]

    def count(self, kind: str) -> int:
        """How many of a kind were ever born."""
        return len(self._tables.get(kind, ()))

    def newest(self, kind: str) -> Iterator[Obj]:
        """A table's objects, the newest first; deleted ones are left out."""
        return self._living(reversed(list(self._tables.get(kind, ()))))

    def under(self, parent: str, kind: str) -> list[Obj]:
        """The children of a parent, the oldest first; deleted ones are left out."""
        return list(self._living(iter(self._children.get(f"{parent}/{kind}", ()))))

    def newest_under(self, parent: str, kind: str) -> Iterator[Obj]:
        return reversed(self.under(parent, kind))

    def _living(self, identifiers: Iterator[str]) -> Iterator[Obj]:
        for identifier in identifiers:
            obj = self._objects[identifier]
            if not obj.get("deleted"):
                yield obj

    def dump(self) -> Obj:
        """The whole store as one JSON value."""
        return {
            "objects": [self._objects[identifier] for identifier in self._birth],
            "children": {name: list(ids) for name, ids in self._children.items()},
        }

    @classmethod
    def load(cls, dumped: Obj) -> Store:
        store = cls()
        for obj in dumped["objects"]:
            store.add(obj)
        store._children = {name: dict.fromkeys(ids) for name, ids in dumped["children"].items()}
        return store
