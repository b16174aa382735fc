"""Reading history in blocks gives the same events as reading it in rows."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

import psycopg
import pytest

from ledger.clock import SystemClock
from ledger.errors import Corrupt, Unavailable
from ledger.events import base
from ledger.events.base import Event, event, event_classes, upcast
from ledger.events.customer import CustomerIdentified
from ledger.events.invoice import InvoiceIssued
from ledger.journal.posting_rules import entry_for
from ledger.money import Money
from ledger.store.postgres_log import PostgresLog
from ledger.store.replay import BLOCK, Replay
from tests.conftest import Database
from tests.ledger.store.samples import append_of, identified, invoiced, new_events, some_owner
from tests.ledger.store.variants import partition


@dataclass(frozen=True)
class Total:
    """The one fact of an issued invoice that somebody sums up."""

    total: Money


@pytest.fixture(params=["plain", "partitioned"])
def url(request: pytest.FixtureRequest, database: Database) -> str:
    if request.param == "partitioned":
        partition(database.owner_url)
    return database.url


def test_blocks_hold_every_event_in_order(url: str) -> None:
    log = PostgresLog(url, SystemClock(), post=entry_for)
    for bucket in (3, 200, 7):
        owner = some_owner(bucket)
        names = [identified(f"{bucket}-{number}") for number in range(BLOCK)]
        log.append(append_of(owner, new_events(owner, *names, invoiced(owner))))
    heads = log.heads()
    replay: Replay[Event] = Replay(
        url, {"customer.identified": CustomerIdentified, "invoice.issued": InvoiceIssued}
    )

    blocks = list(replay.blocks({3: 10}, heads))

    assert [(block.bucket, len(block)) for block in blocks] == [
        (3, BLOCK - 9),
        (7, BLOCK),
        (7, 1),
        (200, BLOCK),
        (200, 1),
    ]
    rows = log.read({**dict.fromkeys(heads, 0), 3: 10}, 10 * BLOCK)
    assert [
        (block.bucket, *event)
        for block in blocks
        for event in zip(block.positions, block.streams, block.facts, strict=True)
    ] == [(row.bucket, row.position, row.stream, row.event) for row in rows]
    log.close()


def test_history_longer_than_one_question_comes_whole(url: str) -> None:
    log = PostgresLog(url, SystemClock(), post=entry_for)
    owner = some_owner()
    log.append(append_of(owner, new_events(owner, *map(identified, map(str, range(5000))))))

    blocks = list(Replay(url, {"customer.identified": CustomerIdentified}).blocks({}, log.heads()))

    assert [at for block in blocks for at in block.positions] == list(range(1, 5001))
    log.close()


def test_only_the_asked_names_and_fields_are_read(url: str) -> None:
    log = PostgresLog(url, SystemClock(), post=entry_for)
    owner = some_owner()
    log.append(append_of(owner, new_events(owner, identified(), invoiced(owner, 600))))

    (block,) = Replay(url, {"invoice.issued": Total}).blocks({}, log.heads())

    assert list(block.positions) == [2]
    assert block.facts == [Total(Money(600, "usd"))]
    log.close()


def test_old_versions_come_in_their_present_shape(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(base, "_classes", dict(event_classes()))
    monkeypatch.setattr(base, "_upcasts", {})

    @event
    class Older(Event):
        NAME = "test.moved"
        name: str

    log = PostgresLog(url, SystemClock(), post=entry_for)
    owner = some_owner()
    log.append(append_of(owner, new_events(owner, Older(name="a"))))
    base._classes.pop("test.moved")

    @event
    class Moved(Event):
        NAME = "test.moved"
        VERSION = 2
        title: str

    @upcast("test.moved", 1)
    def _title(fields: base.StoredFields) -> base.StoredFields:
        return {"title": fields["name"]}

    log.append(append_of(owner, new_events(owner, Moved(title="b"), after=1)))

    (block,) = Replay(url, {"test.moved": Moved}).blocks({}, log.heads())

    assert block.facts == [Moved(title="a"), Moved(title="b")]
    log.close()


def test_what_cannot_be_read_stops_the_replay(database: Database) -> None:
    log = PostgresLog(database.url, SystemClock(), post=entry_for)
    owner = some_owner()
    log.append(append_of(owner, new_events(owner, identified())))
    heads = log.heads()
    log.close()
    with psycopg.connect(database.owner_url) as connection:
        connection.execute("UPDATE log_event SET schema_version = 99")

    with pytest.raises(Corrupt):
        list(Replay(database.url, {"customer.identified": CustomerIdentified}).blocks({}, heads))


def test_a_replay_can_be_left_early_and_needs_a_server(url: str) -> None:
    log = PostgresLog(url, SystemClock(), post=entry_for)
    owner = some_owner()
    events = [identified(str(number)) for number in range(25 * BLOCK)]
    log.append(append_of(owner, new_events(owner, *events)))
    heads = log.heads()
    log.close()
    shapes: dict[str, type[CustomerIdentified]] = {"customer.identified": CustomerIdentified}

    first: UUID | None = None
    for block in Replay(url, shapes).blocks({}, heads):
        first = block.streams[0]
        break

    assert first == owner
    with pytest.raises(Unavailable):
        list(Replay("host=127.0.0.1 port=1", shapes).blocks({}, heads))
