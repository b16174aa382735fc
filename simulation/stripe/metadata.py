"""Metadata: the caller's own keys on an object, merged on update, emptied with an empty value."""

from __future__ import annotations

from typing import Any

from simulation.stripe.store import Obj


def merged(present: dict[str, str] | None, given: Any) -> dict[str, str]:
    """The metadata after an update: a key sent empty goes, everything sent empty clears all."""
    if given is None:
        return dict(present or {})
    if given == "":
        return {}
    both = {**(present or {}), **given}
    return {key: value for key, value in both.items() if value != ""}


def assign(obj: Obj, params: dict[str, Any], names: str) -> None:
    """Copy plain parameters onto an object; a parameter sent empty unsets its field."""
    for name in names.split():
        if name in params:
            obj[name] = None if params[name] == "" else params[name]
    if "metadata" in params:
        obj["metadata"] = merged(obj.get("metadata"), params["metadata"])
