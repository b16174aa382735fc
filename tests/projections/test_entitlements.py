"""Entitlements as read: what holds, until when, and what was believed at any time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from uuid import UUID

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger.events.base import Event, RecordedEvent
from ledger.events.grant import GrantEffect, GrantGiven, GrantRevoked
from ledger.events.subscription import (
    SubscriptionEnded,
    SubscriptionPeriodAdvanced,
    SubscriptionStarted,
    SubscriptionStatus,
)
from ledger.ids import bucket_in, derived_id
from ledger.rules.entitlement import Reason, Source
from projections import beliefs, builds, checkpoints, entitlements
from projections.base import Tables
from projections.beliefs import ENTITLEMENTS
from projections.table import Database
from tests.given import day
from tests.ledger.rules.saying import EXPORT, SEATS, gift, item, started, term
from tests.projections.history import OTHER_PROJECT, PROJECT, customer_named
from tests.projections.invented import Inventor

ANN = customer_named("ann")
BOB = customer_named("bob")
BUCKET = bucket_in(ANN)
SUBSCRIPTION = derived_id(BUCKET, "subscription")
GRANT = derived_id(BUCKET, "grant")
UNTOUCHED = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]


@pytest.fixture(scope="module")
def database(module_database_url: str) -> Iterator[Database]:
    with psycopg.connect(module_database_url, autocommit=True) as opened:
        opened.execute("SET TimeZone = 'UTC'")
        builds.ensure(opened, [ENTITLEMENTS])
        yield opened


@pytest.fixture
def connection(database: Database) -> Iterator[Database]:
    """A connection whose work is undone at the end of the test."""
    with database.transaction(force_rollback=True):
        yield database


class Ledger:
    """Records events of Ann's streams on given days and projects each at once."""

    def __init__(self, connection: Database) -> None:
        self.connection = connection
        self._position = 0
        self._versions: defaultdict[UUID, int] = defaultdict(int)

    def record(
        self, recorded_on: int, stream: UUID, event: Event, counts_from: int | None = None
    ) -> None:
        effective_on = recorded_on if counts_from is None else counts_from
        self._position += 1
        self._versions[stream] += 1
        recorded = RecordedEvent(
            bucket=BUCKET,
            position=self._position,
            stream=stream,
            version=self._versions[stream],
            event=event,
            project=PROJECT,
            owner=ANN,
            recorded_at=day(recorded_on),
            effective_at=day(effective_on),
            actor="test",
            correlation=stream,
            causation=None,
        )
        apply(self.connection, [recorded])

    def export(self, as_of: int, known_at: int | None = None) -> str:
        known = None if known_at is None else day(known_at)
        answer = entitlements.check(
            self.connection, PROJECT, ANN, "export", as_of=day(as_of), known_at=known
        )
        until = "" if answer.valid_until is None else str((answer.valid_until - day(0)).days)
        return f"{'yes' if answer.allowed else 'no'} {answer.reason} until {until}".strip()


@pytest.fixture
def ledger(connection: Database) -> Ledger:
    return Ledger(connection)


def apply(connection: Database, events: Sequence[RecordedEvent]) -> None:
    heard = [each for each in events if type(each.event) in ENTITLEMENTS.listens]
    if heard:
        ENTITLEMENTS.apply(Tables(connection, ENTITLEMENTS.first_build), heard)


def active(*periods: tuple[int, int]) -> list[SubscriptionStarted | SubscriptionPeriodAdvanced]:
    first, *later = [(item(period=period),) for period in periods]
    return [
        started(SubscriptionStatus.ACTIVE, *first),
        *(SubscriptionPeriodAdvanced(items=items) for items in later),
    ]


def test_an_answer_says_why_and_until_when(ledger: Ledger) -> None:
    ledger.record(0, SUBSCRIPTION, active((0, 30))[0])
    answer = entitlements.check(ledger.connection, PROJECT, ANN, "export", as_of=day(3))
    assert answer.allowed
    assert answer.value is True
    assert (answer.source, answer.ref, answer.reason) == (Source.PLAN, SUBSCRIPTION, Reason.PLAN)
    assert (answer.valid_from, answer.valid_until) == (day(0), day(31))
    assert answer.as_of == day(3)


def test_without_any_source_the_answer_is_no_until_something_begins(ledger: Ledger) -> None:
    assert ledger.export(0) == "no no_entitlement until"
    ledger.record(0, GRANT, gift(GrantEffect.GRANT, term(EXPORT, True), 5, 9), 5)
    assert ledger.export(0) == "no no_entitlement until 5"
    assert ledger.export(5) == "yes grant until 9"
    assert ledger.export(9) == "no grant_expired until"


def test_a_correction_changes_now_and_not_what_was_answered_before(ledger: Ledger) -> None:
    ledger.record(0, SUBSCRIPTION, active((0, 30))[0])
    ended = SubscriptionEnded(status=SubscriptionStatus.CANCELED, reason=None)
    ledger.record(10, SUBSCRIPTION, ended, counts_from=4)

    assert ledger.export(6, known_at=7) == "yes plan until 31"
    assert ledger.export(6, known_at=10) == "no subscription_ended until"
    assert ledger.export(6) == "no subscription_ended until"
    assert ledger.export(3) == "yes plan until 4"


def test_nothing_was_known_before_it_was_recorded(ledger: Ledger) -> None:
    ledger.record(5, SUBSCRIPTION, active((0, 30))[0], counts_from=0)
    assert ledger.export(2, known_at=4) == "no no_entitlement until"
    assert ledger.export(2, known_at=5) == "yes plan until 31"


def test_a_renewal_lengthens_the_answer_and_old_beliefs_stay_readable(ledger: Ledger) -> None:
    first, renewed = active((0, 30), (30, 60))
    ledger.record(0, SUBSCRIPTION, first)
    ledger.record(30, SUBSCRIPTION, renewed)
    assert ledger.export(29) == "yes plan until 61"
    assert ledger.export(29, known_at=29) == "yes plan until 31"
    assert ledger.export(35, known_at=29) == "no period_ended until"


def test_a_revoked_block_gives_back_what_the_plan_gives(ledger: Ledger) -> None:
    ledger.record(0, SUBSCRIPTION, active((0, 30))[0])
    ledger.record(5, GRANT, gift(GrantEffect.BLOCK, term(EXPORT, True), 5), 5)
    assert ledger.export(6) == "no blocked until"
    ledger.record(8, GRANT, GrantRevoked(reason="a mistake"))
    assert ledger.export(6) == "no blocked until 8"
    assert ledger.export(8) == "yes plan until 31"


def test_what_nobody_can_have_seen_leaves_no_row(ledger: Ledger) -> None:
    ledger.record(0, SUBSCRIPTION, active((0, 30))[0])
    before = all_rows(ledger.connection)
    ledger.record(0, GRANT, gift(GrantEffect.GRANT, term(SEATS, 5), 3))
    ledger.record(0, GRANT, GrantRevoked(reason="slip of the hand"))
    assert all_rows(ledger.connection) == before


def test_another_project_is_told_nothing(ledger: Ledger) -> None:
    ledger.record(0, SUBSCRIPTION, active((0, 30))[0])
    answer = entitlements.check(ledger.connection, OTHER_PROJECT, ANN, "export", as_of=day(3))
    assert (answer.allowed, answer.reason) == (False, Reason.NO_ENTITLEMENT)
    known = {"as_of": day(3)}
    assert entitlements.entitlements(ledger.connection, OTHER_PROJECT, ANN, **known) == []
    (mine,) = entitlements.entitlements(ledger.connection, PROJECT, ANN, **known)
    assert mine == entitlements.check(ledger.connection, PROJECT, ANN, "export", as_of=day(3))


def test_a_snapshot_answers_as_the_database_does(ledger: Ledger) -> None:
    connection = ledger.connection
    ledger.record(0, SUBSCRIPTION, active((0, 30))[0])
    ledger.record(0, GRANT, gift(GrantEffect.GRANT, term(SEATS, None), 2, 9), 2)
    move = checkpoints.Move(BUCKET, ENTITLEMENTS.first_build, 0, 2)
    assert checkpoints.advance(connection, [move])

    found = entitlements.snapshots(connection, [ANN, BOB])
    assert found.keys() == {ANN, BOB}
    assert (found[ANN].position, found[ANN].project) == (2, PROJECT)
    assert (found[BOB].project, found[BOB].beliefs) == (None, {})
    for moment in (-1, 0, 2, 8, 9, 30, 31):
        for feature in ("export", "seats", "unheard_of"):
            asked = entitlements.check(connection, PROJECT, ANN, feature, as_of=day(moment))
            assert found[ANN].answer(feature, day(moment)) == asked


def all_rows(connection: Database) -> list[beliefs.EntitlementRow]:
    order = "ORDER BY bucket, customer, feature, valid_from, position_from"
    return beliefs.ENTITLEMENT.select(connection, order, ())


def current_rows(connection: Database) -> list[beliefs.EntitlementRow]:
    return [row for row in all_rows(connection) if row.recorded_until is None]


@settings(max_examples=40, deadline=None, suppress_health_check=UNTOUCHED)
@given(seed=st.integers(0, 10_000))
def test_current_rows_have_neither_gap_nor_overlap(database: Database, seed: int) -> None:
    with database.transaction(force_rollback=True):
        apply(database, Inventor(seed).history(60))
        by_feature: defaultdict[object, list[beliefs.EntitlementRow]] = defaultdict(list)
        for row in current_rows(database):
            by_feature[row.customer, row.feature].append(row)
        for rows in by_feature.values():
            assert rows[-1].valid_until is None
            for earlier, later in pairwise(rows):
                assert earlier.valid_until == later.valid_from


@settings(max_examples=40, deadline=None, suppress_health_check=UNTOUCHED)
@given(seed=st.integers(0, 10_000), split=st.integers(1, 79))
def test_an_answer_for_a_past_never_changes(database: Database, seed: int, split: int) -> None:
    events = Inventor(seed).history(80)
    # Later events of the same moment are still part of what was known at that moment.
    while split < len(events) and events[split].recorded_at == events[split - 1].recorded_at:
        split += 1
    with database.transaction(force_rollback=True):
        apply(database, events[:split])
        known_at = events[split - 1].recorded_at
        before = answers(database, known_at)
        now = [answer for each in (ANN, BOB) for answer in asked(database, each, known_at, None)]
        assert now == [answer for answer in before if answer.as_of == known_at]
        apply(database, events[split:])
        assert answers(database, known_at) == before


def answers(connection: Database, known_at: datetime) -> list[entitlements.Entitlement]:
    moments = [known_at + timedelta(hours=hours) for hours in (-300, -50, -1, 0, 1, 70, 900)]
    return [
        answer
        for customer in (ANN, BOB)
        for moment in moments
        for answer in asked(connection, customer, moment, known_at)
    ]


def asked(
    connection: Database, customer: UUID, as_of: datetime, known_at: datetime | None
) -> list[entitlements.Entitlement]:
    return entitlements.entitlements(
        connection, PROJECT, customer, as_of=as_of.astimezone(UTC), known_at=known_at
    )


def test_a_grant_is_heard_from_its_own_event(ledger: Ledger) -> None:
    given_grant = gift(GrantEffect.GRANT, term(SEATS, 5), 0)
    assert isinstance(given_grant, GrantGiven)
    ledger.record(0, GRANT, given_grant)
    (row,) = current_rows(ledger.connection)
    assert (row.feature, row.value, row.position_from, row.position) == ("seats", 5, 1, 1)
