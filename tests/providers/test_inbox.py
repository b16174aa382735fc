"""The webhook inbox on a real PostgreSQL: once each, taken by one worker, never changed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier

import psycopg
import pytest

from ledger.errors import Corrupt, NotFound
from ledger.facts import ProviderAccount
from ledger.ids import bucket_in
from providers import inbox
from providers.inbox import Delivery, Folded, Source, Status

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
NOTHING = timedelta(0)
TEST = ProviderAccount("stripe", "acct_1", livemode=False)
LIVE = ProviderAccount("stripe", "acct_1", livemode=True)


def delivery(
    event_id: str = "evt_1",
    *,
    account: ProviderAccount = TEST,
    payload: bytes = b'{"id": "evt_1"}',
    created: datetime = NOW,
    received: datetime = NOW,
    type_: str = "customer.created",
) -> Delivery:
    return Delivery(
        account=account,
        event_id=event_id,
        type=type_,
        provider_created_at=created,
        received_at=received,
        payload=payload,
    )


@pytest.fixture
def second(database_url: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(database_url) as opened:
        yield opened


def test_a_message_is_kept_with_its_bytes_and_their_hash(connection: psycopg.Connection) -> None:
    payload = b'{"big": "' + b"x" * 20_000 + b'"}'
    received = inbox.receive(connection, delivery(payload=payload))
    kept = inbox.get(connection, received.id)
    assert received.new
    assert received.status is Status.RECEIVED
    assert kept.payload() == payload
    assert kept.row.sha256 == hashlib.sha256(payload).digest()
    assert kept.row.account == TEST
    assert kept.row.source is Source.WEBHOOK
    assert (kept.row.event_id, kept.row.type) == ("evt_1", "customer.created")
    assert (kept.row.provider_created_at, kept.row.received_at) == (NOW, NOW)
    assert kept.row.attempts == 1


def test_a_duplicate_says_how_far_the_first_has_come(connection: psycopg.Connection) -> None:
    first = inbox.receive(connection, delivery())
    inbox.mark_folded(connection, first.id, NOW, bucket=7, position=42)
    again = inbox.receive(connection, delivery(payload=b"another rendering"))
    assert (again.id, again.new, again.status) == (first.id, False, Status.FOLDED)
    kept = inbox.get(connection, first.id)
    assert kept.payload() == b'{"id": "evt_1"}'
    assert (kept.row.folded_bucket, kept.row.folded_position) == (7, 42)


def test_live_and_test_and_other_accounts_do_not_mix(connection: psycopg.Connection) -> None:
    other = ProviderAccount("stripe", "acct_2", livemode=False)
    received = [inbox.receive(connection, delivery(account=one)) for one in (TEST, LIVE, other)]
    assert all(one.new for one in received)
    assert len({one.id for one in received}) == 3


def test_fifty_at_once_make_one_row(database_url: str) -> None:
    barrier = Barrier(50)

    def send(_: int) -> bool:
        with psycopg.connect(database_url, autocommit=True) as opened:
            barrier.wait()
            return inbox.receive(opened, delivery()).new

    with ThreadPoolExecutor(50) as pool:
        outcomes = list(pool.map(send, range(50)))
    assert outcomes.count(True) == 1
    with psycopg.connect(database_url) as opened:
        assert sum(inbox.counts(opened).by_status.values()) == 1


def test_a_group_reports_each_in_order_and_itself_holds_duplicates(
    connection: psycopg.Connection,
) -> None:
    known = inbox.receive(connection, delivery("evt_known"))
    inbox.mark_ignored(connection, known.id, NOW, "draft")
    names = ["evt_b", "evt_a", "evt_known", "evt_b"]
    received = inbox.receive_many(connection, [delivery(name) for name in names])
    assert [one.id for one in received] == [delivery(name).id for name in names]
    assert [one.new for one in received] == [True, True, False, False]
    assert [one.status for one in received] == [
        Status.RECEIVED,
        Status.RECEIVED,
        Status.IGNORED,
        Status.RECEIVED,
    ]
    assert inbox.get(connection, received[1].id).payload() == b'{"id": "evt_1"}'


def test_an_empty_group_is_nothing(connection: psycopg.Connection) -> None:
    assert inbox.receive_many(connection, []) == []


def test_groups_with_the_same_messages_in_other_orders_do_not_wait_for_each_other(
    database_url: str,
) -> None:
    names = [f"evt_{number}" for number in range(200)]
    barrier = Barrier(8)

    def send(turn: int) -> int:
        ordered = names if turn % 2 else names[::-1]
        with psycopg.connect(database_url, autocommit=True) as opened:
            barrier.wait()
            received = inbox.receive_many(opened, [delivery(name) for name in ordered])
        return sum(one.new for one in received)

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(send, range(8))) == 200


def test_the_receiver_has_its_lease_before_a_sweeper(connection: psycopg.Connection) -> None:
    inbox.receive(connection, delivery())
    assert inbox.due(connection, NOW, 10) == []
    (taken,) = inbox.due(connection, NOW + inbox.RECEIVER_LEASE, 10)
    assert taken.payload() == b'{"id": "evt_1"}'
    assert taken.row.attempts == 2


def test_what_nobody_tries_at_once_is_due_at_once(connection: psycopg.Connection) -> None:
    inbox.receive(connection, delivery(), lease=NOTHING)
    (taken,) = inbox.due(connection, NOW, 10)
    assert taken.row.attempts == 1


def test_a_taken_message_comes_back_when_its_lease_is_over(connection: psycopg.Connection) -> None:
    inbox.receive(connection, delivery(), lease=NOTHING)
    assert len(inbox.due(connection, NOW, 10)) == 1
    assert inbox.due(connection, NOW + inbox.SWEEPER_LEASE - timedelta(seconds=1), 10) == []
    assert len(inbox.due(connection, NOW + inbox.SWEEPER_LEASE, 10)) == 1


def test_sweepers_at_once_take_different_messages(database_url: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as opened:
        rows = [delivery(f"evt_{number}") for number in range(400)]
        inbox.receive_many(opened, rows, lease=NOTHING)
    barrier = Barrier(8)

    def sweep(_: int) -> list[str]:
        found: list[str] = []
        with psycopg.connect(database_url, autocommit=True) as opened:
            barrier.wait()
            while taken := inbox.due(opened, NOW, 7):
                found += [one.row.event_id for one in taken]
        return found

    with ThreadPoolExecutor(8) as pool:
        found = [name for names in pool.map(sweep, range(8)) for name in names]
    assert len(found) == len(set(found)) == 400


def test_a_row_that_another_sweeper_holds_is_passed_over(
    connection: psycopg.Connection, second: psycopg.Connection
) -> None:
    inbox.receive(connection, delivery(), lease=NOTHING)
    assert len(inbox.due(second, NOW, 10)) == 1  # in a transaction that is still open
    assert inbox.due(connection, NOW, 10) == []


def test_a_sweeper_may_ask_for_its_own_buckets(connection: psycopg.Connection) -> None:
    rows = [delivery(f"evt_{number}") for number in range(20)]
    inbox.receive_many(connection, rows, lease=NOTHING)
    bucket = bucket_in(rows[0].id)
    taken = inbox.due(connection, NOW, 100, buckets=[bucket])
    assert {bucket_in(one.row.id) for one in taken} == {bucket}


def test_due_messages_come_in_the_providers_order(connection: psycopg.Connection) -> None:
    for age, name in enumerate(("evt_new", "evt_mid", "evt_old")):
        created = NOW - timedelta(hours=age)
        inbox.receive(connection, delivery(name, created=created), lease=NOTHING)
    taken = inbox.due(connection, NOW, 10)
    assert [one.row.event_id for one in taken] == ["evt_old", "evt_mid", "evt_new"]


@pytest.mark.parametrize("mark", ["folded", "ignored", "given up"])
def test_what_is_done_is_never_due(connection: psycopg.Connection, mark: str) -> None:
    row = inbox.receive(connection, delivery()).id
    if mark == "folded":
        inbox.mark_folded(connection, row, NOW)
    elif mark == "ignored":
        inbox.mark_ignored(connection, row, NOW, "draft")
    else:
        inbox.mark_failed(connection, row, NOW, reason="unreadable", retry_at=None)
    assert inbox.due(connection, NOW + timedelta(days=365), 10) == []


def test_a_parked_message_is_released_by_what_it_waits_for(connection: psycopg.Connection) -> None:
    row = inbox.receive(connection, delivery()).id
    later = NOW + timedelta(hours=1)
    inbox.mark_parked(
        connection,
        row,
        NOW,
        dependency="stripe:acct_1:test:cus_1",
        reason="waiting for cus_1",
        retry_at=later,
    )
    assert inbox.release(connection, ["stripe:acct_1:test:cus_2"], NOW) == 0
    assert inbox.due(connection, NOW + timedelta(minutes=1), 10) == []
    wanted = ["stripe:acct_1:test:cus_1", "stripe:acct_1:test:cus_2"]
    assert inbox.release(connection, wanted, NOW + timedelta(minutes=1)) == 1
    (taken,) = inbox.due(connection, NOW + timedelta(minutes=1), 10)
    assert taken.row.status is Status.PARKED
    assert taken.row.dependency == "stripe:acct_1:test:cus_1"
    assert taken.row.reason == "waiting for cus_1"


def test_a_parked_message_is_tried_again_in_any_case(connection: psycopg.Connection) -> None:
    row = inbox.receive(connection, delivery()).id
    later = NOW + timedelta(minutes=5)
    inbox.mark_parked(connection, row, NOW, dependency="x", reason="x", retry_at=later)
    assert len(inbox.due(connection, later, 10)) == 1


def test_folded_stays_folded_when_a_slower_worker_fails(connection: psycopg.Connection) -> None:
    row = inbox.receive(connection, delivery()).id
    inbox.mark_folded(connection, row, NOW, bucket=1, position=2)
    inbox.mark_failed(connection, row, NOW, reason="late", retry_at=NOW)
    kept = inbox.get(connection, row).row
    assert (kept.status, kept.reason, kept.next_attempt_at) == (Status.FOLDED, None, None)


def test_a_replay_takes_a_message_in_once_more(connection: psycopg.Connection) -> None:
    row = inbox.receive(connection, delivery()).id
    inbox.mark_folded(connection, row, NOW, bucket=1, position=2)
    inbox.requeue(connection, row, NOW)
    (taken,) = inbox.due(connection, NOW, 10)
    assert taken.row.status is Status.RECEIVED
    inbox.mark_folded(connection, row, NOW)
    assert inbox.get(connection, row).row.folded_position == 2


def test_what_never_came_is_not_found(connection: psycopg.Connection) -> None:
    with pytest.raises(NotFound):
        inbox.get(connection, delivery("evt_never").id)
    with pytest.raises(NotFound):
        inbox.requeue(connection, delivery("evt_never").id, NOW)


def test_the_list_pages_from_the_newest_on(connection: psycopg.Connection) -> None:
    for age in range(7):
        received = NOW - timedelta(minutes=age // 2)
        inbox.receive(connection, delivery(f"evt_{age}", received=received))
    seen: list[str] = []
    before = None
    while page := inbox.list_rows(connection, before=before, limit=3):
        seen += [row.event_id for row in page]
        before = (page[-1].received_at, page[-1].id)
    assert sorted(seen) == [f"evt_{age}" for age in range(7)]
    assert {*seen[:2]} == {"evt_0", "evt_1"}


def test_the_list_is_narrowed_by_status_and_type(connection: psycopg.Connection) -> None:
    first = inbox.receive(connection, delivery("evt_1", type_="invoice.paid"))
    inbox.receive(connection, delivery("evt_2", type_="invoice.paid"))
    inbox.receive(connection, delivery("evt_3"))
    inbox.mark_folded(connection, first.id, NOW)
    paid = inbox.list_rows(connection, event_type="invoice.paid", status=Status.RECEIVED)
    assert [row.event_id for row in paid] == ["evt_2"]


def test_unmapped_messages_are_counted_by_type(connection: psycopg.Connection) -> None:
    for number, (type_, reason) in enumerate(
        [("payout.paid", "unmapped"), ("payout.paid", "unmapped"), ("invoice.created", "draft")]
    ):
        row = inbox.receive(connection, delivery(f"evt_{number}", type_=type_)).id
        inbox.mark_ignored(connection, row, NOW, reason)
    inbox.receive(connection, delivery("evt_new"))
    counted = inbox.counts(connection)
    assert counted.unmapped == {"payout.paid": 2}
    assert counted.by_status[Status.IGNORED] == 3
    assert counted.by_status[Status.RECEIVED] == 1
    assert counted.by_status[Status.FAILED] == 0


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE webhook_inbox SET payload = ''",
        "UPDATE webhook_inbox SET sha256 = sha256",
        "UPDATE webhook_inbox SET type = 'invoice.paid'",
        "UPDATE webhook_inbox SET provider_created_at = now()",
        "DELETE FROM webhook_inbox",
        "TRUNCATE webhook_inbox",
    ],
)
def test_the_product_cannot_change_what_was_received(
    connection: psycopg.Connection, statement: str
) -> None:
    inbox.receive(connection, delivery())
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute(statement.encode())


def test_bytes_changed_behind_our_back_are_noticed(
    connection: psycopg.Connection, owner_database_url: str
) -> None:
    row = inbox.receive(connection, delivery()).id
    with psycopg.connect(owner_database_url, autocommit=True) as owner:
        owner.execute("UPDATE webhook_inbox SET payload = 'forged'")
    kept = inbox.get(connection, row)
    with pytest.raises(Corrupt):
        kept.payload()


def test_several_messages_are_marked_as_folded_at_once(connection: psycopg.Connection) -> None:
    rows = [inbox.receive(connection, delivery(f"evt_{number}")).id for number in range(3)]
    folded = [Folded(rows[0], 7, 42), Folded(rows[1]), Folded(rows[0], 7, 42)]
    inbox.mark_all_folded(connection, folded, NOW)
    kept = [inbox.get(connection, row).row for row in rows]
    assert [row.status for row in kept] == [Status.FOLDED, Status.FOLDED, Status.RECEIVED]
    assert [row.folded_position for row in kept] == [42, None, None]
