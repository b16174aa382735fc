"""What every event log promises, in PostgreSQL (plain and partitioned) and in memory."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import uuid4

import pytest

from ledger.clock import ManualClock
from ledger.errors import KeyReused, VersionConflict
from ledger.ids import bucket_in
from ledger.store.event_log import EventLog, Receipt
from tests.ledger.store.samples import (
    PROJECT,
    START,
    append_of,
    identified,
    invoiced,
    keyed,
    new_events,
    some_owner,
    stream_of,
)


def test_what_was_appended_is_read_back_word_for_word(log: EventLog) -> None:
    owner = some_owner()
    append = append_of(
        owner, new_events(owner, identified("Zoë \\ \x00 \U0001f600"), invoiced(owner))
    )

    receipt = log.append(append)
    first, second = log.stream(owner)

    assert (first.event, second.event) == tuple(new.event for new in append.events)
    assert (first.version, second.version) == (1, 2)
    assert (first.bucket, first.stream, first.owner) == (bucket_in(owner), owner, owner)
    assert (first.project, first.actor, first.correlation) == (PROJECT, "test", append.correlation)
    assert (first.recorded_at, first.effective_at, first.causation) == (START, START, None)
    assert receipt == Receipt(
        bucket=bucket_in(owner), position=second.position, ids={}, replayed=False
    )


def test_positions_of_a_bucket_are_dense_over_streams_and_appends(log: EventLog) -> None:
    owner = some_owner()
    bucket = bucket_in(owner)
    start = log.heads([bucket])[bucket]
    invoice = stream_of(owner)

    log.append(append_of(owner, new_events(owner, identified())))
    log.append(
        append_of(
            owner,
            [
                *new_events(invoice, invoiced(owner)),
                *new_events(owner, identified("b"), identified("c"), after=1),
            ],
        )
    )

    events = log.read({bucket: start}, 10)
    assert [event.position for event in events] == [start + n for n in (1, 2, 3, 4)]
    assert [event.stream for event in events] == [owner, invoice, owner, owner]
    assert [event.version for event in events] == [1, 1, 2, 3]
    assert log.heads([bucket]) == {bucket: start + 4}
    assert log.heads()[bucket] == start + 4


def test_a_writer_who_comes_second_is_told_and_leaves_nothing(log: EventLog) -> None:
    owner, other = some_owner(7), some_owner(7)
    log.append(append_of(owner, new_events(owner, identified())))
    head = log.heads([7])

    with pytest.raises(VersionConflict) as refused:
        log.append(
            append_of(
                other, [*new_events(other, identified()), *new_events(owner, identified("late"))]
            )
        )

    assert (refused.value.stream, refused.value.expected) == (owner, 0)
    assert log.heads([7]) == head
    assert log.stream(other) == []


def test_a_version_that_would_leave_a_gap_is_refused(log: EventLog) -> None:
    owner = some_owner()
    log.append(append_of(owner, new_events(owner, identified())))

    with pytest.raises(VersionConflict):
        log.append(append_of(owner, new_events(owner, identified("far"), after=2)))


def test_versions_that_do_not_follow_each_other_cannot_be_asked_for(log: EventLog) -> None:
    owner = some_owner()
    torn = [*new_events(owner, identified()), *new_events(owner, identified(), after=2)]

    with pytest.raises(ValueError, match="goes from 1 to 3"):
        log.append(append_of(owner, torn))


def test_a_stream_of_another_bucket_cannot_be_written(log: EventLog) -> None:
    owner, stranger = some_owner(1), some_owner(2)

    with pytest.raises(ValueError, match="not in the bucket"):
        log.append(append_of(owner, new_events(stranger, identified())))


def test_a_key_replays_its_receipt_and_writes_nothing(log: EventLog) -> None:
    owner, key = some_owner(), uuid4().hex
    asked = append_of(
        owner, new_events(owner, identified()), keyed=keyed(key), ids={"customer": str(owner)}
    )
    first = log.append(asked)

    again = log.append(asked)

    assert first.replayed is False
    assert again == Receipt(
        bucket=first.bucket, position=first.position, ids={"customer": str(owner)}, replayed=True
    )
    assert len(log.stream(owner)) == 1
    assert log.receipt(PROJECT, key) == (again, b"input")


def test_a_key_with_another_input_is_refused(log: EventLog) -> None:
    owner, key = some_owner(), uuid4().hex
    log.append(append_of(owner, new_events(owner, identified()), keyed=keyed(key)))

    with pytest.raises(KeyReused) as refused:
        log.append(
            append_of(owner, new_events(owner, identified(), after=1), keyed=keyed(key, b"x"))
        )

    assert refused.value.key == key
    assert len(log.stream(owner)) == 1


def test_a_refused_write_does_not_use_its_key_up(log: EventLog) -> None:
    owner, key = some_owner(), uuid4().hex
    log.append(append_of(owner, new_events(owner, identified())))
    with pytest.raises(VersionConflict):
        log.append(append_of(owner, new_events(owner, identified()), keyed=keyed(key)))
    assert log.receipt(PROJECT, key) is None

    retry = log.append(append_of(owner, new_events(owner, identified(), after=1), keyed=keyed(key)))

    assert retry.replayed is False


def test_a_decision_without_events_keeps_its_receipt_too(log: EventLog) -> None:
    owner, key = some_owner(), uuid4().hex
    before = log.append(append_of(owner, new_events(owner, identified())))

    nothing = log.append(append_of(owner, (), keyed=keyed(key), ids={"found": "1"}))

    assert nothing.position == before.position
    assert log.append(append_of(owner, (), keyed=keyed(key))).ids == {"found": "1"}


def test_twenty_calls_with_one_key_execute_once(log: EventLog) -> None:
    owner, key = some_owner(), uuid4().hex
    asked = append_of(owner, new_events(owner, identified()), keyed=keyed(key))

    with ThreadPoolExecutor(20) as pool:
        receipts = list(pool.map(log.append, [asked] * 20))

    assert sorted(receipt.replayed for receipt in receipts) == [False] + [True] * 19
    assert len({receipt.position for receipt in receipts}) == 1
    assert len(log.stream(owner)) == 1


def test_twenty_writers_of_one_version_give_one_winner(log: EventLog) -> None:
    owner = some_owner()
    bucket = bucket_in(owner)
    start = log.heads([bucket])[bucket]

    def attempt(number: int) -> bool:
        try:
            log.append(append_of(owner, new_events(owner, identified(f"user-{number}"))))
        except VersionConflict:
            return False
        return True

    with ThreadPoolExecutor(20) as pool:
        won = list(pool.map(attempt, range(20)))

    assert sum(won) == 1
    assert log.heads([bucket]) == {bucket: start + 1}
    assert [event.event for event in log.stream(owner)] == [identified(f"user-{won.index(True)}")]


def test_a_refused_append_does_not_harm_its_neighbours(log: EventLog) -> None:
    owners = [some_owner() for _ in range(40)]
    log.append(append_of(owners[13], new_events(owners[13], identified())))

    def attempt(number: int) -> bool:
        owner = owners[number]
        try:
            log.append(append_of(owner, new_events(owner, identified(), invoiced(owner))))
        except VersionConflict:
            return False
        return True

    with ThreadPoolExecutor(20) as pool:
        written = list(pool.map(attempt, range(40)))

    assert [number for number, done in enumerate(written) if not done] == [13]
    found = log.streams(owners)
    assert [len(found[owner]) for owner in owners] == [1 if n == 13 else 2 for n in range(40)]


def test_a_stream_can_be_read_in_part_and_as_it_was_known(
    log: EventLog, clock: ManualClock
) -> None:
    owner = some_owner()
    for version in range(4):
        log.append(append_of(owner, new_events(owner, identified(str(version)), after=version)))
        clock.advance(timedelta(hours=1))

    assert [event.version for event in log.stream(owner, after=1)] == [2, 3, 4]
    assert [event.version for event in log.stream(owner, after=1, until=3)] == [2, 3]
    assert [event.version for event in log.stream(owner, known_at=START)] == [1]
    known = log.stream(owner, known_at=START + timedelta(hours=2, minutes=59))
    assert [event.version for event in known] == [1, 2, 3]


def test_several_streams_come_in_one_answer(log: EventLog) -> None:
    here, there, nowhere = some_owner(3), some_owner(200), some_owner(9)
    log.append(append_of(here, new_events(here, identified("a"), identified("b"))))
    log.append(append_of(there, new_events(there, identified("c"))))

    found = log.streams([there, here, nowhere])

    assert {stream: [event.version for event in events] for stream, events in found.items()} == {
        there: [1],
        here: [1, 2],
        nowhere: [],
    }
    assert log.streams([]) == {}


def test_reading_stops_at_its_limit_and_goes_on_from_there(log: EventLog) -> None:
    owners = [some_owner(bucket) for bucket in (50, 51)]
    reached = log.heads([50, 51])
    for owner in owners:
        log.append(append_of(owner, new_events(owner, *[identified(str(n)) for n in range(5)])))

    first = log.read(reached, 7)
    for event in first:
        reached[event.bucket] = event.position
    rest = log.read(reached, 7)

    assert [(event.stream, event.version) for event in first + rest] == [
        (owner, version) for owner in owners for version in (1, 2, 3, 4, 5)
    ]
    assert log.read({}, 7) == []


def test_recorded_at_never_decreases_in_a_bucket(log: EventLog, clock: ManualClock) -> None:
    owner = some_owner()
    clock.advance(timedelta(days=1))
    log.append(append_of(owner, new_events(owner, identified())))
    clock._now = START
    log.append(append_of(owner, new_events(owner, identified(), after=1)))

    first, second = log.stream(owner)

    assert first.recorded_at == second.recorded_at == START + timedelta(days=1)
