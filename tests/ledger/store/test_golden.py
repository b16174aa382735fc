"""What was ever written stays readable."""

from __future__ import annotations

import pytest

from ledger.errors import Corrupt
from ledger.events import base
from ledger.events.base import Event, event_classes, upcast
from ledger.store.codec import decode_event, encode_event
from tests.ledger.store.golden import Line, golden_lines, missing_lines


def test_every_event_has_its_golden_line() -> None:
    missing = [(line.topic, line.version) for line in missing_lines()]

    assert missing == [], "python -m tests.ledger.store.golden --write"


@pytest.mark.parametrize("line", golden_lines(), ids=lambda line: f"{line.topic}@{line.version}")
def test_every_golden_line_is_still_read(line: Line) -> None:
    event = decode_event(line.topic, line.version, line.state)

    assert type(event) is event_classes()[line.topic]
    if line.version == event.VERSION:
        assert encode_event(event) == line.state


@pytest.mark.parametrize(
    ("topic", "version", "state", "reason"),
    [
        ("never.heard_of", 1, b"{}", "no event has this name"),
        ("customer.identified", 2, b"{}", "no event has this version"),
        ("customer.identified", 0, b"{}", "no event has this version"),
        ("customer.identified", 1, b"{}", "external_id"),
        ("customer.identified", 1, b'{"external_id": 1}', "Expected `str`"),
        ("customer.identified", 1, b'{"external_id"', "truncated"),
        ("invoice.settled", 1, b'{"paid":{"amount":1,"currency":"?"}}', "currency"),
    ],
)
def test_what_cannot_be_read_is_corrupt(
    topic: str, version: int, state: bytes, reason: str
) -> None:
    with pytest.raises(Corrupt, match=reason):
        decode_event(topic, version, state)


def test_an_old_version_is_upcast_step_by_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base, "_classes", dict(event_classes()))
    monkeypatch.setattr(base, "_upcasts", {})

    @base.event
    class Renamed(Event):
        NAME = "test.renamed"
        VERSION = 3
        title: str
        shouting: bool

    @upcast("test.renamed", 1)
    def _title(fields: base.StoredFields) -> base.StoredFields:
        return {"title": fields["name"]}

    @upcast("test.renamed", 2)
    def _shouting(fields: base.StoredFields) -> base.StoredFields:
        return {**fields, "shouting": str(fields["title"]).isupper()}

    assert decode_event("test.renamed", 1, b'{"name":"ABC"}') == Renamed(title="ABC", shouting=True)
    assert decode_event("test.renamed", 2, b'{"title":"a"}') == Renamed(title="a", shouting=False)
    with pytest.raises(Corrupt):
        decode_event("test.renamed", 2, b'{"name":"a"}')
