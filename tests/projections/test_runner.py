"""A runner takes every event in once, whatever happens around it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta

import psycopg
import pytest

from ledger.clock import ManualClock
from ledger.errors import NotReady
from ledger.events.customer import CustomerIdentified, CustomerRegistered
from ledger.store.postgres_log import PostgresLog
from projections import builds, checkpoints, customers
from projections.base import Batch, Tables
from projections.customers import CUSTOMERS
from projections.runner import Runner
from projections.table import Database
from tests.projections.history import OTHER_PROJECT, PROJECT, History, customer_named

NewRunner = Callable[..., Runner]


@pytest.fixture
def new_runner(
    connection: Database, database_url: str, log: PostgresLog, clock: ManualClock
) -> Iterator[NewRunner]:
    builds.ensure(connection, [CUSTOMERS])
    made: list[Runner] = []

    def make(*projections: object, **settings: object) -> Runner:
        chosen = list(projections) or [CUSTOMERS]
        runner = Runner(log, database_url, chosen, clock, **settings)  # type: ignore[arg-type]
        made.append(runner)
        return runner

    yield make
    for runner in made:
        runner.close()


def test_what_was_written_is_found(
    connection: Database, history: History, new_runner: NewRunner
) -> None:
    runner = new_runner()
    ann = customer_named("ann")
    history.say(ann, CustomerRegistered(external_id=None), CustomerIdentified(external_id="ann"))

    assert runner.run_once() == 2
    assert runner.run_once() == 0

    found = customers.by_external_id(connection, PROJECT, "ann")
    assert found is not None
    assert (found.id, found.position) == (ann, 2)
    assert customers.by_id(connection, PROJECT, ann) == found
    assert customers.by_id(connection, OTHER_PROJECT, ann) is None


def test_a_hint_confines_a_run_to_its_buckets(history: History, new_runner: NewRunner) -> None:
    runner = new_runner()
    receipts = [
        history.say(customer_named(name), CustomerRegistered(external_id=name)) for name in "ab"
    ]
    assert receipts[0].bucket != receipts[1].bucket

    assert runner.run_once({receipts[1].bucket}) == 1
    assert runner.run_once({receipts[1].bucket}) == 0
    assert runner.run_once() == 1


def test_small_batches_come_to_the_same(
    connection: Database, history: History, new_runner: NewRunner
) -> None:
    for number in range(40):
        name = f"c{number}"
        history.say(
            customer_named(name),
            CustomerRegistered(external_id=None),
            CustomerIdentified(external_id=name),
        )
    assert new_runner(batch=7).catch_up() == 80
    page = customers.page(connection, PROJECT, limit=100)
    assert sorted(each.external_id or "" for each in page) == sorted(f"c{n}" for n in range(40))


def test_the_second_of_two_runners_finds_itself_late(
    connection: Database, history: History, new_runner: NewRunner
) -> None:
    applied: list[int] = []

    def slowly(tables: Tables, batch: Batch) -> None:
        applied.append(len(batch))
        CUSTOMERS.apply(tables, batch)

    late = new_runner(replace(CUSTOMERS, apply=slowly))
    history.say(customer_named("ann"), CustomerRegistered(external_id="ann"))
    strides = list(late._strides(None))
    readings = [late._read(stride) for stride in strides]
    assert new_runner().run_once() == 1

    taken = [late._take(*both) for both in zip(strides, *zip(*readings, strict=True), strict=True)]
    assert taken == [()]
    assert applied == []
    assert late.run_once() == 0


def test_a_poison_event_stops_its_bucket_until_it_can_be_read(
    connection: Database, history: History, new_runner: NewRunner, clock: ManualClock
) -> None:
    ann, bob = customer_named("ann"), customer_named("bob")

    def choking(tables: Tables, batch: Batch) -> None:
        if any(r.event == CustomerIdentified(external_id="poison") for r in batch):
            raise ValueError("cannot swallow")
        CUSTOMERS.apply(tables, batch)

    runner = new_runner(replace(CUSTOMERS, apply=choking))
    history.say(ann, CustomerRegistered(external_id="ann"))
    receipt = history.say(ann, CustomerIdentified(external_id="poison"))
    history.say(ann, CustomerIdentified(external_id="after"))
    history.say(bob, CustomerRegistered(external_id="bob"))
    while runner.run_once():
        pass

    assert customers.by_external_id(connection, PROJECT, "bob") is not None
    assert customers.by_external_id(connection, PROJECT, "ann") is not None
    (failure,) = checkpoints.failures(connection)
    assert (failure.bucket, failure.position) == (receipt.bucket, receipt.position)
    assert failure.error == "ValueError: cannot swallow"
    assert checkpoints.lag(connection) == {"customers": 2}

    cured = new_runner()
    assert cured.run_once() == 0
    clock.advance(timedelta(minutes=1))
    assert cured.run_once() == 2
    assert checkpoints.failures(connection) == []
    assert customers.by_external_id(connection, PROJECT, "after") is not None


def test_an_unreadable_event_stops_its_bucket_and_no_other(
    connection: Database,
    owner_database_url: str,
    history: History,
    new_runner: NewRunner,
) -> None:
    ann, bob = customer_named("ann"), customer_named("bob")
    history.say(ann, CustomerRegistered(external_id="ann"))
    receipt = history.say(ann, CustomerIdentified(external_id="ann2"))
    history.say(bob, CustomerRegistered(external_id="bob"))
    with psycopg.connect(owner_database_url) as owner:
        owner.execute(
            "UPDATE log_event SET topic = 'nothing.known' WHERE bucket = %s AND pos = %s",
            (receipt.bucket, receipt.position),
        )
    runner = new_runner()
    while runner.run_once():
        pass

    assert customers.by_external_id(connection, PROJECT, "ann") is not None
    assert customers.by_external_id(connection, PROJECT, "bob") is not None
    (failure,) = checkpoints.failures(connection)
    assert (failure.bucket, failure.position) == (receipt.bucket, receipt.position)


def test_a_reader_waits_for_the_position_it_was_promised(
    connection: Database, history: History, new_runner: NewRunner
) -> None:
    runner = new_runner()
    receipt = history.say(customer_named("ann"), CustomerRegistered(external_id="ann"))
    with pytest.raises(NotReady) as refused:
        checkpoints.wait_for(connection, "customers", receipt.bucket, receipt.position, 0.01)
    assert (refused.value.wanted, refused.value.reached) == (1, 0)
    runner.run_once()
    checkpoints.wait_for(connection, "customers", receipt.bucket, receipt.position, 0)
