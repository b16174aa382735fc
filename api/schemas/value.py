"""A feature's value as callers write and read it: a config is a document, not its text."""

from __future__ import annotations

import json
from typing import Annotated

from pydantic import Field, JsonValue, StrictBool, StrictInt

from api.schemas.base import LARGEST, Name
from ledger.events.catalog import FeatureKind, FeatureValue

Document = dict[str, JsonValue]
Value = StrictBool | Annotated[StrictInt, Field(ge=-LARGEST, le=LARGEST)] | Name | Document | None
"""What a caller may send as a value; the feature decides whether it is one of its own."""


def stored(value: Value) -> FeatureValue:
    """The value as it is kept: a document as its text, always the same for the same document."""
    if isinstance(value, dict):
        return json.dumps(value, sort_keys=True, separators=(",", ":"))
    return value


def told(kind: FeatureKind | None, value: FeatureValue) -> bool | int | str | Document | None:
    """The value as it is told."""
    if kind is FeatureKind.CONFIG and isinstance(value, str):
        document: Document = json.loads(value)
        return document
    return value
