"""A rebuild comes to the rows that are live, notices when it does not, and swaps in one go."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace

import psycopg
import pytest

from ledger.clock import ManualClock
from ledger.events.base import RecordedEvent
from ledger.events.customer import CustomerIdentified, CustomerRegistered
from ledger.store.postgres_log import PostgresLog
from projections import builds, checkpoints, customers
from projections.base import Projection
from projections.customers import CUSTOMERS
from projections.rebuild import rebuild
from projections.registry import PROJECTIONS
from projections.runner import Runner
from projections.table import Build, Database
from tests.projections.history import PROJECT, History, customer_named
from tests.projections.invented import Inventor

LENGTH = 300


def record(history: History, events: list[RecordedEvent]) -> None:
    """Write an invented history, each event at the moment it was recorded."""
    clock = history.clock
    for each in events:
        clock.move_to(max(each.recorded_at, clock.now()))
        history.write(each.owner, [(each.stream, each.event, each.effective_at)])


@pytest.fixture
def runner(
    connection: Database, database_url: str, log: PostgresLog, clock: ManualClock
) -> Iterator[Runner]:
    builds.ensure(connection, PROJECTIONS)
    made = Runner(log, database_url, PROJECTIONS, clock)
    yield made
    made.close()


def test_every_rebuild_equals_its_live_rows(
    connection: Database,
    database_url: str,
    log: PostgresLog,
    history: History,
    runner: Runner,
    clock: ManualClock,
) -> None:
    events = Inventor(1).history(LENGTH)
    record(history, events[: LENGTH // 2])
    runner.catch_up()
    for each in range(LENGTH // 2, LENGTH):
        record(history, events[each : each + 1])
        runner.run_once()
    assert set(checkpoints.lag(connection).values()) == {0}

    for projection in PROJECTIONS:
        seen: list[tuple[int, int]] = []
        done = rebuild(
            log,
            database_url,
            projection,
            clock,
            progress=lambda done, of, seen=seen: seen.append((done, of)),  # type: ignore[misc]
        )
        assert done.parity is not None
        assert done.parity.holds, projection.name
        assert done.parity.rows > 0
        assert done.swapped
        assert builds.live_build(connection, projection) == done.build
        assert builds.kept(connection, projection) == [done.replaced]
        assert seen[-1] == (LENGTH, LENGTH)
    assert checkpoints.failures(connection) == []


def test_a_rebuild_that_differs_is_not_swapped_in(
    connection: Database,
    database_url: str,
    log: PostgresLog,
    history: History,
    runner: Runner,
    clock: ManualClock,
) -> None:
    ann = customer_named("ann")
    receipt = history.say(ann, CustomerRegistered(external_id="ann"))
    runner.catch_up()
    connection.execute("UPDATE read_model.customer_v1 SET external_id = 'tampered'")

    done = rebuild(log, database_url, CUSTOMERS, clock)

    assert done.parity is not None
    assert done.parity.differing == {receipt.bucket}
    assert not done.swapped
    assert customers.by_external_id(connection, PROJECT, "tampered") is not None

    builds.swap(connection, CUSTOMERS, done.build)
    assert customers.by_external_id(connection, PROJECT, "tampered") is None
    builds.drop(connection, CUSTOMERS, done.replaced)
    assert builds.kept(connection, CUSTOMERS) == []


def test_a_new_version_grows_beside_the_old_one_and_takes_over(
    connection: Database,
    database_url: str,
    log: PostgresLog,
    history: History,
    runner: Runner,
    clock: ManualClock,
) -> None:
    history.say(customer_named("ann"), CustomerRegistered(external_id="ann"))
    runner.catch_up()
    newer = replace(CUSTOMERS, version=2)
    assert builds.ensure(connection, [newer]) == (newer,)

    done = rebuild(log, database_url, newer, clock)

    assert (done.build, done.parity, done.swapped) == (Build("customers", "v2"), None, True)
    assert builds.ensure(connection, [newer]) == ()
    history.say(customer_named("bob"), CustomerRegistered(external_id="bob"))
    runner.run_once()
    assert customers.by_external_id(connection, PROJECT, "bob") is None, "the old code lets it be"
    _run_once(log, database_url, newer, clock)
    assert customers.by_external_id(connection, PROJECT, "bob") is not None


def test_a_rebuild_amid_writers_and_readers_loses_nothing(
    connection: Database,
    database_url: str,
    log: PostgresLog,
    history: History,
    runner: Runner,
    clock: ManualClock,
) -> None:
    names = [f"c{number}" for number in range(200)]
    over = threading.Event()

    def write() -> None:
        for name in names:
            history.say(customer_named(name), CustomerRegistered(external_id=None))
            history.say(customer_named(name), CustomerIdentified(external_id=name))
        over.set()

    writer = threading.Thread(target=write)
    writer.start()
    swapped = 0
    while not over.is_set() or swapped < 2:
        runner.run_once()
        swapped += rebuild(log, database_url, CUSTOMERS, clock).swapped
        customers.page(connection, PROJECT, limit=1)
    writer.join()
    while runner.run_once():
        pass

    page = customers.page(connection, PROJECT, limit=1000)
    assert sorted(each.external_id or "" for each in page) == sorted(names)


def test_a_swap_gives_way_to_a_long_query_and_comes_after_it(
    connection: Database,
    database_url: str,
    log: PostgresLog,
    history: History,
    runner: Runner,
    clock: ManualClock,
) -> None:
    history.say(customer_named("ann"), CustomerRegistered(external_id="ann"))
    runner.catch_up()
    reading, may_end = threading.Event(), threading.Event()

    def read_for_long() -> None:
        with psycopg.connect(database_url) as reader:
            reader.execute("SELECT * FROM read_model.customer")
            reading.set()
            may_end.wait(20)

    reader = threading.Thread(target=read_for_long)
    reader.start()
    reading.wait(20)
    other = builds.begin(connection, CUSTOMERS)
    swap = threading.Thread(target=lambda: builds.swap(connection, CUSTOMERS, other))
    swap.start()
    with psycopg.connect(database_url) as another:
        assert customers.page(another, PROJECT, limit=9), "other readers go on"
    may_end.set()
    for thread in (reader, swap):
        thread.join()
    assert builds.live_build(connection, CUSTOMERS) == other


def _run_once(log: PostgresLog, dsn: str, projection: Projection, clock: ManualClock) -> None:
    runner = Runner(log, dsn, [projection], clock)
    runner.run_once()
    runner.close()
