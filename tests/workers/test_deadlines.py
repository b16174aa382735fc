"""What falls due is recorded once, with Redis and without, however often it is nominated."""

from __future__ import annotations

import threading

import pytest

from commands.grant import ExpireGrant
from ledger.clock import SystemClock
from projections import deadlines, entitlements
from projections.deadlines import DeadlineKind
from tests.installation import eventually
from tests.workers.shop import ACME, DAY, Shop
from workers.broker import WorkerThreads, make_broker
from workers.deadlines import Deadlines

_ENDS = ("grant.expired", "subscription.grace_ended", "subscription.trial_ended")


@pytest.fixture
def overdue(shop: Shop) -> Shop:
    """A trial, a grace and a grant whose time has come; and one trial whose time has not."""
    shop.fill_with_overdue()
    return shop


def test_without_redis_the_scheduler_decides_itself(overdue: Shop) -> None:
    nowhere = make_broker("redis://127.0.0.1:9/0")
    found = Deadlines(overdue.services, nowhere)
    found.nominate()
    found.nominate()
    assert overdue.names(*_ENDS) == sorted(_ENDS)
    nowhere.close()


def test_with_redis_a_worker_decides_each_once(overdue: Shop) -> None:
    broker = make_broker(overdue.services.redis_url)
    nominations = [Deadlines(overdue.services, broker)]
    workers = WorkerThreads(broker, 4)
    workers.start()
    try:
        for _ in range(5):  # as five schedulers that know nothing of each other
            nominations[0]._sent.clear()
            nominations[0].nominate()
        eventually(lambda: len(overdue.names(*_ENDS)) == 3)
    finally:
        workers.stop()
        broker.close()
    overdue.catch_up()
    nominations[0].nominate()
    assert overdue.names(*_ENDS) == sorted(_ENDS)
    with overdue.services.database.connection() as connection:
        assert deadlines.due(connection, overdue.now, 10) == []


def test_many_who_decide_at_once_record_it_once(overdue: Shop) -> None:
    with overdue.services.database.connection() as connection:
        due = deadlines.due(connection, SystemClock().now(), 10)
    (grant,) = (each for each in due if each.kind is DeadlineKind.GRANT_EXPIRY)
    command = ExpireGrant(project=ACME, grant=grant.stream)
    threads = [threading.Thread(target=overdue.dispatch, args=(command,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert overdue.names("grant.expired") == ["grant.expired"]


def test_access_ends_on_time_while_nobody_records_it(overdue: Shop) -> None:
    """The rows carry their own end: with every worker asleep, a past trial gives nothing."""
    customer = overdue.subscribe("asleep", overdue.now - 15 * DAY, status="active")
    trial = int((overdue.now - DAY).timestamp())
    sleeper = overdue.subscribe(
        "sleeper", overdue.now - 15 * DAY, status="trialing", trial_end=trial
    )
    overdue.catch_up()
    with overdue.services.database.connection() as connection:
        for who, allowed in ((customer, True), (sleeper, False)):
            answer = entitlements.check(connection, ACME, who, "export", as_of=overdue.now)
            assert answer.allowed is allowed
