"""The library on our log: its own recorder test cases, an application and a projection runner."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import singledispatchmethod
from itertools import count
from types import ModuleType
from uuid import UUID

import msgspec
import psycopg
import pytest
from eventsourcing.application import Application
from eventsourcing.domain import DomainEventProtocol
from eventsourcing.persistence import (
    IntegrityError,
    Mapper,
    Notification,
    StoredEvent,
    Tracking,
)
from eventsourcing.projection import Projection, ProjectionRunner

from ledger.clock import SystemClock
from ledger.errors import Corrupt
from ledger.events.customer import CustomerIdentified
from ledger.ids import derived_id
from ledger.store.mapper import EventMapper, StreamEvent
from ledger.store.recorder import (
    BucketApplicationRecorder,
    BucketProcessRecorder,
    BucketTrackingRecorder,
)
from ledger.store.session import Sessions
from tests.conftest import Database
from tests.ledger.store.samples import identified

# The library's cases import its AES cipher, whose own dependency we neither need nor install.
_cipher = ModuleType("eventsourcing.cipher")
_cipher.AESCipher = object  # type: ignore[attr-defined]
sys.modules.setdefault("eventsourcing.cipher", _cipher)
from eventsourcing.tests import persistence as library  # noqa: E402

_databases: dict[str, Database] = {}
_opened: list[Sessions] = []
_buckets = count()


@pytest.fixture(autouse=True)
def _layouts(module_database: Database, partitioned_database: Database) -> Iterator[None]:
    """The library's cases make their recorders themselves: this tells them where."""
    _databases.update(plain=module_database, partitioned=partitioned_database)
    yield
    while _opened:
        _opened.pop().close()


def _fresh(layout: str) -> tuple[Sessions, int]:
    """A bucket nobody has written to."""
    _opened.append(Sessions(_databases[layout].url, most=40))
    return _opened[-1], next(_buckets)


class _Quoting(BucketApplicationRecorder):
    """The library's cases store bytes that are no JSON; our state must be."""

    def insert_events(
        self, stored_events: Sequence[StoredEvent], **kwargs: object
    ) -> Sequence[int] | None:
        quoted = [replace(e, state=msgspec.json.encode(e.state.decode())) for e in stored_events]
        return super().insert_events(quoted, **kwargs)

    def select_events(
        self,
        originator_id: UUID | str,
        *,
        gt: int | None = None,
        lte: int | None = None,
        desc: bool = False,
        limit: int | None = None,
    ) -> Sequence[StoredEvent]:
        kept = super().select_events(originator_id, gt=gt, lte=lte, desc=desc, limit=limit)
        return [replace(e, state=msgspec.json.decode(e.state).encode()) for e in kept]

    def select_notifications(
        self,
        start: int | None,
        limit: int,
        stop: int | None = None,
        topics: Sequence[str] = (),
        *,
        inclusive_of_start: bool = True,
    ) -> Sequence[Notification]:
        kept = super().select_notifications(
            start, limit, stop, topics, inclusive_of_start=inclusive_of_start
        )
        return [replace(e, state=msgspec.json.decode(e.state).encode()) for e in kept]


class _FromZero(_Quoting):
    """Some of the library's cases count versions from 0; our streams begin at 1."""

    def insert_events(
        self, stored_events: Sequence[StoredEvent], **kwargs: object
    ) -> Sequence[int] | None:
        moved = [replace(e, originator_version=e.originator_version + 1) for e in stored_events]
        return super().insert_events(moved, **kwargs)


class _QuotingProcess(_Quoting, BucketProcessRecorder):
    pass


class TestApplicationRecorder(library.ApplicationRecorderTestCase[_Quoting]):
    test_performance = None  # type: ignore[assignment]  # measured in bench
    test_concurrent_throughput = None  # type: ignore[assignment]
    layout = "plain"

    test_concurrent_no_conflicts = None  # type: ignore[assignment]  # counts from 0, see below

    def create_recorder(self) -> _Quoting:
        return _Quoting(*_fresh(self.layout), SystemClock())


class TestConcurrentWriters(library.ApplicationRecorderTestCase[_FromZero]):
    test_performance = None  # type: ignore[assignment]
    test_concurrent_throughput = None  # type: ignore[assignment]
    test_insert_select = None  # type: ignore[assignment]
    layout = "plain"

    def create_recorder(self) -> _FromZero:
        return _FromZero(*_fresh(self.layout), SystemClock())


class TestConcurrentWritersOnPartitions(TestConcurrentWriters):
    layout = "partitioned"


class TestApplicationRecorderOnPartitions(TestApplicationRecorder):
    layout = "partitioned"


class TestProcessRecorder(library.ProcessRecorderTestCase):
    test_performance = None  # type: ignore[assignment]
    layout = "plain"

    def create_recorder(self) -> _QuotingProcess:
        return _QuotingProcess(*_fresh(self.layout), SystemClock())


class TestProcessRecorderOnPartitions(TestProcessRecorder):
    layout = "partitioned"


class TestTrackingRecorder(library.TrackingRecorderTestCase):
    layout = "plain"

    def create_recorder(self) -> BucketTrackingRecorder:
        return BucketTrackingRecorder(*_fresh(self.layout))


class TestTrackingRecorderOnPartitions(TestTrackingRecorder):
    layout = "partitioned"


class TestPositionsDoNotInterleave(library.NonInterleavingNotificationIDsBaseCase):
    insert_num = 1000
    layout = "plain"

    def create_recorder(self) -> _FromZero:
        return _FromZero(*_fresh(self.layout), SystemClock())


class TestPositionsDoNotInterleaveOnPartitions(TestPositionsDoNotInterleave):
    layout = "partitioned"


class Customers(Application[UUID]):
    """An application of the library that keeps our events."""

    def identify(self, customer: UUID, names: Sequence[str]) -> None:
        self.save(
            *(
                StreamEvent(customer, version, identified(name))
                for version, name in enumerate(names, 1)
            )
        )


class Names(BucketTrackingRecorder):
    """A view that remembers names, in the same transaction as how far it has come."""

    def remember(self, name: str, tracking: Tracking) -> None:
        with self._sessions.use() as session, session.transaction():
            self._track(session.connection, tracking)
            session.connection.execute("INSERT INTO seen_names VALUES (%s)", (name,))


class NamesProjection(Projection[Names]):
    topics = ("customer.identified",)

    @singledispatchmethod
    def process_event(self, domain_event: DomainEventProtocol[UUID], tracking: Tracking) -> None:
        raise AssertionError(domain_event)

    @process_event.register
    def _(self, domain_event: StreamEvent, tracking: Tracking) -> None:
        assert isinstance(domain_event.event, CustomerIdentified)
        self.view.remember(domain_event.event.external_id, tracking)


@pytest.mark.parametrize("layout", ["plain", "partitioned"])
def test_an_application_and_its_projection_run_on_the_log(layout: str) -> None:
    database, bucket = _databases[layout], next(_buckets)
    environment = {
        "PERSISTENCE_MODULE": "ledger.store.infrastructure",
        "MAPPER_TOPIC": "ledger.store.mapper:EventMapper",
        "EVENT_LOG_URL": database.url,
        "EVENT_LOG_BUCKET": str(bucket),
    }
    with psycopg.connect(database.owner_url, autocommit=True) as connection:
        connection.execute("CREATE TABLE seen_names (name text)")
        connection.execute("GRANT INSERT ON seen_names TO PUBLIC")
        with ProjectionRunner(
            application_class=Customers,
            projection_class=NamesProjection,
            view_class=Names,
            env=environment,
        ) as runner:
            runner.app.identify(derived_id(bucket, "someone"), ["a", "b", "c"])
            runner.wait(3, timeout=10)
        runner.view._sessions.close()  # the library forgets the view's factory
        seen = connection.execute("SELECT name FROM seen_names").fetchall()

    assert seen == [("a",), ("b",), ("c",)]


def test_a_conflict_takes_the_tracking_back() -> None:
    recorder = _QuotingProcess(*_fresh("plain"), SystemClock())
    stored = StoredEvent(derived_id(recorder.bucket, "x"), 1, "topic", b"state")
    recorder.insert_events([stored], tracking=Tracking("upstream", 1))

    with pytest.raises(IntegrityError):
        recorder.insert_events([stored], tracking=Tracking("upstream", 2))

    assert recorder.max_tracking_id("upstream") == 1


def test_the_mapper_keeps_names_and_refuses_what_it_does_not_know() -> None:
    mapper: Mapper[UUID] = EventMapper(transcoder=None)  # type: ignore[arg-type]
    event = StreamEvent(derived_id(1, "x"), 1, identified("a"))

    stored = mapper.to_stored_event(event)

    assert (stored.topic, stored.state) == ("customer.identified", b'{"external_id":"a"}')
    assert mapper.to_domain_event(stored) == event
    for topic in ("customer.unheard_of", "customer.identified@9"):
        with pytest.raises(Corrupt):
            mapper.to_domain_event(replace(stored, topic=topic))
