"""An answer lost on the way back is followed up: written once, and known to be written."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from urllib.parse import urlsplit, urlunsplit

import pytest

from ledger.clock import SystemClock
from ledger.errors import KeyReused, OutcomeUnknown, VersionConflict
from ledger.journal.posting_rules import entry_for
from ledger.store.postgres_log import PostgresLog
from tests.conftest import Database
from tests.ledger.store.samples import append_of, identified, keyed, new_events, some_owner


class Wire:
    """A TCP relay to the database that can lose answers and refuse to connect."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._server = (parts.hostname, parts.port)
        self._listening = socket.create_server(("127.0.0.1", 0))
        port = self._listening.getsockname()[1]
        login = parts.netloc.rpartition("@")[0]
        self.url = urlunsplit(parts._replace(netloc=f"{login}@127.0.0.1:{port}"))
        self.lose_answers = 0
        self.down = False
        self._open: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listening.close()
        for one in self._open:
            one.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            if self.down:
                client.close()
                continue
            server = socket.create_connection(self._server)
            self._open += [client, server]
            threading.Thread(target=self._relay, args=(client, server, False), daemon=True).start()
            threading.Thread(target=self._relay, args=(server, client, True), daemon=True).start()

    def _relay(self, source: socket.socket, target: socket.socket, answers: bool) -> None:
        with suppress(OSError):
            while piece := source.recv(65536):
                if answers and self.lose_answers:
                    self.lose_answers -= 1
                    break
                target.sendall(piece)
        for one in (source, target):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def wire(database: Database) -> Iterator[Wire]:
    made = Wire(database.url)
    yield made
    made.close()


@pytest.fixture
def log(wire: Wire) -> Iterator[PostgresLog]:
    opened = PostgresLog(
        wire.url, SystemClock(), post=entry_for, patience=timedelta(milliseconds=300)
    )
    owner = some_owner()
    opened.append(append_of(owner, new_events(owner, identified("first contact"))))
    yield opened
    opened.close()


def test_an_append_without_a_key_is_recognised_by_its_words(log: PostgresLog, wire: Wire) -> None:
    owner = some_owner()
    wire.lose_answers = 1

    receipt = log.append(append_of(owner, new_events(owner, identified("a"), identified("b"))))

    first, second = log.stream(owner)
    assert (first.event, second.event) == (identified("a"), identified("b"))
    assert (receipt.position, receipt.replayed) == (second.position, False)


def test_another_writer_in_the_meantime_is_no_match(
    log: PostgresLog, wire: Wire, database: Database
) -> None:
    owner = some_owner()
    rival = PostgresLog(database.url, SystemClock(), post=entry_for)
    rival.append(append_of(owner, new_events(owner, identified("rival"))))
    rival.close()
    wire.lose_answers = 1

    with pytest.raises(VersionConflict):
        log.append(append_of(owner, new_events(owner, identified("mine"))))


def test_an_append_with_a_key_is_recognised_by_it(log: PostgresLog, wire: Wire) -> None:
    owner = some_owner()
    asked = append_of(
        owner, new_events(owner, identified("a")), keyed=keyed("k"), ids={"customer": "1"}
    )
    wire.lose_answers = 1

    receipt = log.append(asked)

    assert (receipt.replayed, receipt.ids) == (True, {"customer": "1"})
    assert len(log.stream(owner)) == 1
    with pytest.raises(KeyReused):
        log.append(append_of(owner, (), keyed=keyed("k", b"another")))


def test_without_a_way_to_find_out_the_outcome_is_unknown(
    log: PostgresLog, wire: Wire, database: Database
) -> None:
    owner = some_owner()
    asked = append_of(owner, new_events(owner, identified("a")), keyed=keyed("k"))
    wire.lose_answers, wire.down = 1, True

    with pytest.raises(OutcomeUnknown):
        log.append(asked)

    wire.down = False
    assert log.append(asked).replayed is True
    assert [event.event for event in log.stream(owner)] == [identified("a")]
