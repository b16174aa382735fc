"""Events as JSON that an auditor can read in SQL, and back; old versions are upcast on read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import msgspec

from ledger.errors import Corrupt, FolioError
from ledger.events.base import Event, event_classes, upcast_fields

Decode = Callable[[bytes], Event]

UNREADABLE: Final = (msgspec.MsgspecError, FolioError, ValueError, TypeError, KeyError)
_encode = msgspec.json.Encoder().encode
_decoders: dict[tuple[str, int], Decode] = {}


def encode_event(event: Event) -> bytes:
    """An event's facts as one JSON object, in the order its class declares them."""
    return _encode(event)


def decode_event(topic: str, schema_version: int, state: bytes) -> Event:
    """A stored event in its present shape; raises Corrupt when it cannot be read as written."""
    try:
        decode = _decoders.get((topic, schema_version)) or _decoder(topic, schema_version)
        return decode(state)
    except UNREADABLE as error:
        raise Corrupt(f"{topic} {schema_version}", str(error)) from error


def _decoder(topic: str, schema_version: int) -> Decode:
    cls = event_classes().get(topic)
    if cls is None:
        raise Corrupt(f"{topic} {schema_version}", "no event has this name")
    if not 1 <= schema_version <= cls.VERSION:
        raise Corrupt(f"{topic} {schema_version}", "no event has this version")
    decode = (
        msgspec.json.Decoder(cls).decode
        if schema_version == cls.VERSION
        else _older(cls, schema_version)
    )
    _decoders[topic, schema_version] = decode
    return decode


def _older(cls: type[Event], schema_version: int) -> Decode:
    fields_of = msgspec.json.Decoder(dict[str, object]).decode

    def decode(state: bytes) -> Event:
        return msgspec.convert(upcast_fields(cls.NAME, schema_version, fields_of(state)), cls)

    return decode
