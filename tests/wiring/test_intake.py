"""A message's way from signed bytes to events, on a real database."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread

import pytest

from commands.base import Caller
from commands.dispatch import Dispatcher
from commands.project import ConnectAccount, CreateProject
from ledger.clock import ManualClock
from ledger.customer import provider_customer_id
from ledger.errors import InvalidInput, Unavailable
from ledger.facts import ProviderAccount
from ledger.ids import owner_id
from ledger.journal.posting_rules import entry_for
from ledger.project import account_dependency, project_id
from ledger.store.postgres_log import PostgresLog
from providers import inbox
from providers.inbox import Status
from providers.port import Gateway
from providers.stripe.webhooks import SignatureRefused
from tests import stripe_messages as stripe
from tests.stripe_messages import SECRET, event, sign
from wiring.database import Database
from wiring.folding import Folding
from wiring.intake import Accepted, Intake, WrongMode

PAYLOADS = Path(__file__).parents[2].parent / "shared" / "stripe_payloads"
ACCOUNT = ProviderAccount("stripe", "acct_1", livemode=False)
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
LATER = NOW + timedelta(days=30)
ACME = project_id("acme")
ANN = provider_customer_id(ACME, ACCOUNT, "cus_1")


class Post:
    """An intake with its database, a clock that stands still, and the project acme."""

    def __init__(self, database_url: str, gateway: Gateway | None = None) -> None:
        self.clock = ManualClock(NOW)
        self.database = Database(database_url, smallest=0, largest=8, name="tests")
        self.log = PostgresLog(database_url, self.clock, post=entry_for)
        self.dispatcher = Dispatcher(self.log, self.clock)
        folding = Folding(
            self.database,
            self.dispatcher,
            self.clock,
            account=ACCOUNT,
            nominate=lambda _connection, _account, _invoice: ANN,
            gateway=gateway,
        )
        self.intake = Intake(
            self.database,
            folding,
            self.clock,
            account=ACCOUNT,
            secrets=["whsec_older", SECRET],
            tolerance_seconds=300,
        )

    def open_acme(self) -> None:
        caller = Caller(actor="test", correlation=owner_id("story"))
        connect = ConnectAccount(project=ACME, provider="stripe", account="acct_1", livemode=False)
        self.dispatcher.dispatch(CreateProject(slug="acme", name="Acme"), caller)
        self.dispatcher.dispatch(connect, caller)

    def close(self) -> None:
        self.intake.close()
        self.log.close()
        self.database.close()

    def bring(self, kind: str, content: stripe.Object, at: datetime = NOW) -> Accepted:
        payload = event(kind, content, at)
        return self.intake.receive(payload, sign(payload, self.clock.now()))

    def names(self) -> list[str]:
        heads = dict.fromkeys(self.log.heads(), 0)
        return sorted(recorded.event.NAME for recorded in self.log.read(heads, 10_000))

    def statuses(self) -> Counter[Status]:
        self.intake.settle()
        with self.database.connection() as connection:
            return Counter(row.status for row in inbox.list_rows(connection, limit=500))


@pytest.fixture
def post(database_url: str) -> Iterator[Post]:
    post = Post(database_url)
    yield post
    post.close()


@pytest.fixture
def acme(post: Post) -> Post:
    post.open_acme()
    return post


def test_a_story_is_folded_as_it_comes(acme: Post) -> None:
    accepted = [
        acme.bring("product.created", stripe.product()),
        acme.bring("customer.created", stripe.customer()),
        acme.bring("customer.subscription.created", stripe.subscription(NOW, LATER)),
        acme.bring("invoice.finalized", stripe.invoice(NOW)),
        acme.bring("invoice_payment.paid", stripe.invoice_payment()),
    ]
    assert {one.status for one in accepted} == {Status.FOLDED}
    assert all(one.receipt.position for one in accepted)
    assert {"subscription.started", "invoice.issued", "payment.allocated"} <= set(acme.names())


def test_the_same_message_again_changes_nothing(acme: Post) -> None:
    first = acme.bring("customer.created", stripe.customer())
    before = acme.names()
    acme.intake.settle()
    again = acme.bring("customer.created", stripe.customer())
    assert (again.id, again.new, again.status) == (first.id, False, Status.FOLDED)
    assert acme.names() == before


def test_one_message_brought_at_once_by_many_has_one_effect(acme: Post) -> None:
    outcomes: list[Accepted] = []

    def bring() -> None:
        outcomes.append(acme.bring("customer.created", stripe.customer()))

    threads = [Thread(target=bring) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(outcomes) == 20
    assert sum(one.new for one in outcomes) == 1
    assert acme.names().count("customer.registered") == 1


def test_what_comes_before_its_parents_waits_for_them(acme: Post) -> None:
    waiting = acme.bring("customer.subscription.created", stripe.subscription(NOW, LATER))
    assert waiting.status is Status.PARKED
    acme.bring("customer.created", stripe.customer())
    acme.bring("product.created", stripe.product())
    assert acme.intake.sweep() == 1
    assert "subscription.started" in acme.names()
    assert acme.statuses() == {Status.FOLDED: 3}


def test_without_a_home_everything_waits_and_nothing_is_lost(post: Post) -> None:
    assert post.bring("customer.created", stripe.customer()).status is Status.PARKED
    assert post.names() == []
    post.open_acme()
    assert post.intake.release(account_dependency(ACCOUNT)) == 1
    assert post.intake.sweep() == 1
    assert post.statuses() == {Status.FOLDED: 1}


def test_what_a_request_left_behind_is_swept_up(acme: Post) -> None:
    acme.log.close()
    payload = event("customer.created", stripe.customer(), NOW)
    delivery = inbox.Delivery(
        account=ACCOUNT,
        event_id="evt_left",
        type="customer.created",
        provider_created_at=NOW,
        received_at=NOW,
        payload=payload,
    )
    with acme.database.connection() as connection:
        inbox.receive(connection, delivery)
    assert acme.intake.sweep() == 0
    acme.clock.advance(timedelta(seconds=1))
    assert acme.intake.sweep() == 1
    assert acme.statuses() == {Status.FOLDED: 1}


def test_an_unmapped_type_is_kept_and_counted(acme: Post) -> None:
    accepted = acme.bring("radar.early_fraud_warning.created", {"id": "issfr_1"})
    assert accepted.status is Status.IGNORED
    with acme.database.connection() as connection:
        assert inbox.counts(connection).unmapped == {"radar.early_fraud_warning.created": 1}


def test_a_message_that_cannot_be_read_is_kept_with_its_reason_and_can_be_replayed(
    acme: Post,
) -> None:
    broken = stripe.subscription(NOW, LATER, status="hibernating")
    accepted = acme.bring("customer.subscription.updated", broken)
    assert accepted.status is Status.FAILED
    with acme.database.connection() as connection:
        row = inbox.get(connection, accepted.id).row
    assert row.reason is not None
    assert "hibernating" in row.reason
    assert row.next_attempt_at is None
    assert acme.intake.replay(accepted.id).status is Status.FAILED


def test_a_replay_of_what_is_folded_changes_nothing(acme: Post) -> None:
    accepted = acme.bring("customer.created", stripe.customer())
    before = acme.names()
    assert acme.intake.replay(accepted.id).status is Status.FOLDED
    assert acme.names() == before


def test_a_message_of_the_other_mode_is_refused_recorded_and_never_folded(acme: Post) -> None:
    payload = event("customer.created", stripe.customer(), NOW, livemode=True)
    for _ in range(2):
        with pytest.raises(WrongMode):
            acme.intake.receive(payload, sign(payload, NOW))
    assert acme.statuses() == {Status.FAILED: 1}
    with acme.database.connection() as connection:
        (row,) = inbox.list_rows(connection)
    assert acme.intake.replay(row.id).status is Status.FAILED
    assert "customer.registered" not in acme.names()


def test_a_message_that_cannot_be_read_any_more_stops_nobody(acme: Post) -> None:
    broken = inbox.Delivery(
        account=ACCOUNT,
        event_id="evt_broken",
        type="customer.created",
        provider_created_at=NOW - timedelta(days=1),
        received_at=NOW,
        payload=b"no JSON",
    )
    good = event("customer.created", stripe.customer(), NOW)
    sound = replace(broken, event_id="evt_sound", payload=good)
    with acme.database.connection() as connection:
        inbox.receive_many(connection, [broken, sound])
    acme.clock.advance(timedelta(seconds=1))
    assert acme.intake.sweep() == 2
    assert acme.statuses() == {Status.FAILED: 1, Status.FOLDED: 1}


@pytest.mark.parametrize("secret", ["whsec_stranger", ""])
def test_an_unsigned_message_leaves_nothing_behind(acme: Post, secret: str) -> None:
    payload = event("customer.created", stripe.customer(), NOW)
    with pytest.raises(SignatureRefused):
        acme.intake.receive(payload, sign(payload, NOW, secret))
    assert not acme.statuses()


def test_a_secret_on_its_way_out_still_counts(acme: Post) -> None:
    payload = event("customer.created", stripe.customer(), NOW)
    assert acme.intake.receive(payload, sign(payload, NOW, "whsec_older")).new


def test_a_message_that_cannot_be_kept_is_not_acknowledged() -> None:
    post = Post("postgresql://nobody@127.0.0.1:1/none")
    payload = event("customer.created", stripe.customer(), NOW)
    with pytest.raises(Unavailable):
        post.intake.receive(payload, sign(payload, NOW))
    post.database.close()


def test_a_fault_of_our_own_is_tried_again_later(
    acme: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_down(*_: object) -> None:
        raise RuntimeError("a bug")

    with monkeypatch.context() as patch:
        patch.setattr(acme.dispatcher, "chain", break_down)
        accepted = acme.bring("customer.created", stripe.customer())
    assert accepted.status is Status.FAILED
    acme.clock.advance(timedelta(hours=1))
    assert acme.intake.sweep() == 1
    assert acme.statuses() == {Status.FOLDED: 1}


def payload_files() -> list[Path]:
    if not PAYLOADS.is_dir():
        return []
    sources = json.loads((PAYLOADS / "SOURCES.json").read_text())
    return [PAYLOADS / one["file"] for one in sources["events"]]


def told_apart(file: Path, number: int) -> bytes:
    """The file's message with an id of its own: many of them share one made of zeros."""
    raw = file.read_bytes()
    try:
        message = json.loads(raw)
    except ValueError:
        return raw
    return json.dumps({**message, "id": f"evt_{number}"}).encode() if message else raw


@pytest.mark.skipif(not PAYLOADS.is_dir(), reason="third-party payloads are not beside the project")
def test_every_public_payload_is_folded_or_explained(acme: Post) -> None:
    outcomes: Counter[str] = Counter()
    for number, file in enumerate(payload_files()):
        payload = told_apart(file, number)
        try:
            accepted = acme.intake.receive(payload, sign(payload, acme.clock.now()))
        except InvalidInput as refused:
            outcomes[type(refused).__name__] += 1
            continue
        outcomes[accepted.status] += 1
    acme.intake.settle()
    with acme.database.connection() as connection:
        rows = inbox.list_rows(connection, limit=500)
    assert sum(outcomes.values()) == len(payload_files()) >= 171
    assert all(row.reason for row in rows if row.status is not Status.FOLDED)
    assert outcomes[Status.RECEIVED] == 0
