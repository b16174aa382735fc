"""Each read model answers its questions, and never with another project's rows."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

import psycopg
import pytest

from ledger import invoice, payment, subscription
from ledger.clock import ManualClock
from ledger.events.base import Event
from ledger.events.catalog import (
    FeatureDefined,
    PlanDefined,
    PricePublished,
    ProductPublished,
    ProductRetired,
)
from ledger.events.customer import CustomerClosed, CustomerLinked, CustomerRegistered
from ledger.events.grant import GrantEffect, GrantExpired, GrantRevoked
from ledger.events.invoice import InvoiceCollectionFailed, InvoiceIssued, InvoiceSettled
from ledger.events.payment import PaymentAllocated, PaymentFailed, PaymentSucceeded
from ledger.events.project import (
    ApiKeyIssued,
    ApiKeyRetired,
    ApiKeyRevoked,
    AppRegistered,
    ProjectCreated,
    ProviderAccountConnected,
    Scope,
)
from ledger.events.subscription import (
    SubscriptionActivated,
    SubscriptionCancelScheduled,
    SubscriptionEnded,
    SubscriptionGraceEnded,
    SubscriptionPastDue,
    SubscriptionStatus,
    SubscriptionTrialChanged,
    SubscriptionTrialEnded,
)
from ledger.facts import ProviderAccount
from ledger.ids import bucket_in, derived_id
from ledger.money import Money
from ledger.period import Interval, Unit
from ledger.store.postgres_log import PostgresLog
from projections import (
    api_keys,
    builds,
    catalog,
    customers,
    deadlines,
    entitlements,
    grants,
    invoices,
    owners,
    payments,
    projects,
    subscriptions,
)
from projections.registry import PROJECTIONS
from projections.runner import Runner
from projections.table import Database
from tests.ledger.rules.saying import EXPORT, SEATS, gift, item, term
from tests.ledger.rules.saying import started as started_event
from tests.projections.history import OTHER_PROJECT, PROJECT, START, History, customer_named

ACCOUNT = ProviderAccount("stripe", "acct_1", livemode=False)
ANN, BOB = customer_named("ann"), customer_named("bob")
DAY = timedelta(days=1)
EUR = "eur"


@dataclass
class World:
    """A log, its read models and a hand that writes to the one and at once into the others."""

    connection: Database
    history: History
    runner: Runner

    def say(self, owner: UUID, stream: UUID, *events: Event, at: datetime = START) -> None:
        self.history.write(owner, [(stream, event, at) for event in events])
        while self.runner.run_once():
            pass


@pytest.fixture
def world(
    connection: Database,
    database_url: str,
    log: PostgresLog,
    history: History,
    clock: ManualClock,
) -> Iterator[World]:
    builds.ensure(connection, PROJECTIONS)
    runner = Runner(log, database_url, PROJECTIONS, clock)
    yield World(connection, history, runner)
    runner.close()


def test_customers_by_each_of_their_names(world: World) -> None:
    connection = world.connection
    linked = CustomerLinked(
        provider="stripe", account="acct_1", livemode=False, provider_id="cus_1"
    )
    world.say(ANN, ANN, CustomerRegistered(external_id="ann"), linked)
    world.say(BOB, BOB, CustomerRegistered(external_id="bob"))

    found = customers.by_provider_id(connection, ACCOUNT, "cus_1")
    assert found is not None
    assert found.id == ANN
    live = ProviderAccount("stripe", "acct_1", livemode=True)
    assert customers.by_provider_id(connection, live, "cus_1") is None
    assert customers.by_external_id(connection, OTHER_PROJECT, "ann") is None
    first, second = sorted((ANN, BOB))
    assert [c.id for c in customers.page(connection, PROJECT, limit=1)] == [first]
    assert [c.id for c in customers.page(connection, PROJECT, limit=9, after=first)] == [second]
    assert customers.page(connection, OTHER_PROJECT, limit=9) == []

    world.say(ANN, ANN, CustomerClosed(provider_id="cus_1"), at=START + DAY)
    (link,) = customers.links(connection, PROJECT, ANN)
    assert link.closed_at == START + DAY
    assert customers.links(connection, OTHER_PROJECT, ANN) == []


def test_the_catalog_keeps_every_version_of_a_plan(world: World) -> None:
    connection = world.connection
    bucket = bucket_in(PROJECT)
    feature, plan, product, price = (
        derived_id(bucket, name) for name in ("feature", "plan", "product", "price")
    )
    world.say(PROJECT, feature, FeatureDefined(feature=SEATS))
    for version, seats in ((1, 5), (2, 10)):
        defined = PlanDefined(
            key="pro",
            plan_version=version,
            terms=(term(SEATS, seats),),
            grace_days=7,
            leeway_hours=24,
        )
        world.say(PROJECT, plan, defined)
    world.say(PROJECT, product, ProductPublished(provider_id="prod_1", name="Pro", plan="pro"))
    world.say(PROJECT, product, ProductRetired(deleted=True))
    monthly = Interval(Unit.MONTH)
    amount = Money(900, EUR)
    published = PricePublished(
        provider_id="price_1", product=product, amount=amount, interval=monthly
    )
    world.say(PROJECT, price, published)

    (defined_feature,) = catalog.features(connection, PROJECT)
    assert defined_feature.feature == SEATS
    assert catalog.feature(connection, PROJECT, "seats") == defined_feature
    (present,) = catalog.plans(connection, PROJECT)
    assert (present.plan_version, present.terms) == (2, (term(SEATS, 10),))
    versions = catalog.plan_versions(connection, PROJECT, "pro")
    assert [each.plan_version for each in versions] == [1, 2]
    (sold,) = catalog.products(connection, PROJECT, limit=9)
    assert (sold.on_sale, sold.deleted) == (False, True)
    (offered,) = catalog.prices(connection, PROJECT, limit=9)
    assert (offered.amount, offered.currency, offered.interval) == (900, EUR, monthly)
    assert catalog.plans(connection, OTHER_PROJECT) == []


def test_a_subscription_as_it_stands(world: World) -> None:
    connection = world.connection
    stream = subscription.subscription_id(ANN, ACCOUNT, "sub_1")
    world.say(ANN, stream, started_event(SubscriptionStatus.ACTIVE))
    cancel = SubscriptionCancelScheduled(at=START + 30 * DAY, at_period_end=True)
    world.say(ANN, stream, cancel, SubscriptionPastDue(since=START + DAY))

    row = subscriptions.by_id(connection, PROJECT, stream)
    assert row is not None
    assert row.status is SubscriptionStatus.PAST_DUE
    assert (row.cancel_at, row.cancel_at_period_end) == (START + 30 * DAY, True)
    assert (row.past_due_since, row.grace_until) == (START + DAY, START + 8 * DAY)
    assert row.items == (item(),)

    ended = SubscriptionEnded(status=SubscriptionStatus.CANCELED, reason="asked")
    world.say(ANN, stream, ended, at=START + 9 * DAY)
    (row,) = subscriptions.page(connection, PROJECT, limit=9, status=SubscriptionStatus.CANCELED)
    assert (row.ended_at, row.end_reason, row.grace_until) == (START + 9 * DAY, "asked", None)
    assert subscriptions.page(connection, PROJECT, limit=9, after=row.id) == []
    assert subscriptions.by_id(connection, OTHER_PROJECT, stream) is None


def test_an_invoice_knows_what_payments_brought_whichever_is_heard_of_first(world: World) -> None:
    connection = world.connection
    bill = invoice.invoice_id(ANN, ACCOUNT, "in_1")
    paid = payment.payment_id(ANN, ACCOUNT, "pi_1")
    half = Money(600, EUR)
    world.say(ANN, paid, PaymentAllocated(allocation="a", invoice=bill, amount=half))
    (heard,) = payments.page(connection, PROJECT, limit=9)
    assert (heard.status, heard.allocated) == (payments.PaymentStatus.PENDING, 600)

    issued = InvoiceIssued(
        customer=ANN,
        subscription=None,
        provider_id="in_1",
        number="1",
        total=Money(1200, EUR),
        tax=Money(200, EUR),
        lines=(),
    )
    failed = InvoiceCollectionFailed(attempt=1, next_attempt_at=START + DAY)
    world.say(ANN, bill, issued, failed)
    declined = PaymentFailed(
        customer=ANN, provider_id="pi_1", amount=Money(1200, EUR), attempt="1", reason="declined"
    )
    arrived = PaymentSucceeded(customer=ANN, provider_id="pi_1", amount=Money(1200, EUR))
    world.say(
        ANN, paid, declined, arrived, PaymentAllocated(allocation="b", invoice=bill, amount=half)
    )

    (open_bill,) = invoices.page(connection, PROJECT, limit=9)
    assert (open_bill.status, open_bill.allocated) == (invoices.InvoiceStatus.OPEN, 1200)
    assert (open_bill.attempts, open_bill.next_attempt_at) == (1, START + DAY)
    assert [a.amount for a in invoices.allocations(connection, PROJECT, bill)] == [600, 600]
    assert invoices.allocations(connection, OTHER_PROJECT, bill) == []

    world.say(ANN, bill, InvoiceSettled(paid=Money(1200, EUR)), at=START + DAY)
    settled = invoices.by_id(connection, PROJECT, bill)
    assert settled is not None
    assert (settled.status, settled.paid) == (invoices.InvoiceStatus.PAID, 1200)
    assert (settled.settled_at, settled.next_attempt_at) == (START + DAY, None)
    assert invoices.of_customer(connection, PROJECT, ANN, limit=9) == [settled]
    (received,) = payments.of_customer(connection, PROJECT, ANN, limit=9)
    assert (received.status, received.amount) == (payments.PaymentStatus.SUCCEEDED, 1200)
    assert (received.failures, received.failure_reason) == (1, "declined")
    assert payments.by_id(connection, OTHER_PROJECT, paid) is None


def test_a_provider_object_leads_to_its_owner(world: World) -> None:
    connection = world.connection
    linked = CustomerLinked(
        provider="stripe", account="acct_1", livemode=False, provider_id="cus_1"
    )
    world.say(ANN, ANN, CustomerRegistered(external_id=None), linked)
    stream = subscription.subscription_id(ANN, ACCOUNT, "sub_1")
    world.say(ANN, stream, started_event(SubscriptionStatus.ACTIVE))

    owned = owners.owner_of(connection, ACCOUNT, "cus_1")
    assert owned is not None
    assert (owned.kind, owned.stream) == ("customer", ANN)
    owned = owners.owner_of(connection, ACCOUNT, "sub_1")
    assert owned is not None
    assert (owned.kind, owned.stream, owned.bucket) == ("subscription", stream, bucket_in(ANN))
    assert owners.owner_of(connection, replace(ACCOUNT, livemode=True), "sub_1") is None
    assert owners.owner_of(connection, ACCOUNT, "in_none") is None


def test_keys_and_apps_of_a_project(world: World) -> None:
    connection = world.connection
    app = derived_id(bucket_in(PROJECT), "app")
    world.say(PROJECT, PROJECT, ProjectCreated(slug="acme", name="Acme"))
    world.say(PROJECT, app, AppRegistered(name="notes"))
    for name in ("old", "new"):
        issued = ApiKeyIssued(key_id=name, secret_hash=f"hash of {name}", scope=Scope.WRITE)
        world.say(PROJECT, app, issued)
    world.say(PROJECT, app, ApiKeyRetired(key_id="old", until=START + DAY))

    found = projects.by_slug(connection, "acme")
    assert found is not None
    assert found == projects.by_id(connection, PROJECT)
    assert projects.page(connection, limit=9) == [found]
    (registered,) = projects.apps(connection, PROJECT, limit=9)
    assert projects.app_by_id(connection, PROJECT, app) == registered
    assert projects.app_by_id(connection, OTHER_PROJECT, app) is None
    assert projects.find_app(connection, app) == registered

    old, new = api_keys.by_key_id(connection, "old"), api_keys.by_key_id(connection, "new")
    assert old is not None
    assert new is not None
    assert (new.project, new.app, new.scope) == (PROJECT, app, Scope.WRITE)
    assert old.lives(START)
    assert not old.lives(START + DAY)
    world.say(PROJECT, app, ApiKeyRevoked(key_id="new", reason="lost"))
    assert [key.lives(START) for key in api_keys.of_app(connection, PROJECT, app)] == [False, True]
    assert api_keys.of_app(connection, OTHER_PROJECT, app) == []
    assert api_keys.by_key_id(connection, "none") is None


def test_accounts_are_at_home_in_one_project(world: World) -> None:
    stream = derived_id(3, "account")
    connected = ProviderAccountConnected(
        provider="stripe", account="acct_1", livemode=False, home=PROJECT
    )
    world.say(stream, stream, connected)
    (account,) = projects.accounts(world.connection, PROJECT)
    assert (account.account, account.livemode) == ("acct_1", False)
    assert projects.accounts(world.connection, OTHER_PROJECT) == []


def test_grants_tell_who_gave_what_and_why(world: World) -> None:
    connection = world.connection
    stream = derived_id(bucket_in(ANN), "grant")
    world.say(ANN, stream, gift(GrantEffect.BLOCK, term(EXPORT, True), 0, 9))
    world.say(ANN, stream, GrantRevoked(reason="a mistake"), at=START + DAY)

    row = grants.by_id(connection, PROJECT, stream)
    assert row is not None
    assert (row.effect, row.feature, row.given_by) == (GrantEffect.BLOCK, "export", "test")
    assert (row.revoked_at, row.revoke_reason) == (START + DAY, "a mistake")
    assert grants.page(connection, PROJECT, limit=9) == [row]
    assert grants.of_customer(connection, OTHER_PROJECT, row.customer) == []


def test_deadlines_are_what_is_still_to_end(world: World) -> None:
    connection = world.connection
    trial = subscription.subscription_id(ANN, ACCOUNT, "sub_1")

    def due(days: int) -> list[tuple[UUID, str]]:
        found = deadlines.due(connection, START + days * DAY, 9)
        return [(each.stream, each.kind) for each in found]

    trialing = started_event(SubscriptionStatus.TRIALING, trial_end=START + 14 * DAY)
    world.say(ANN, trial, trialing)
    assert due(13) == []
    assert due(14) == [(trial, "trial_end")]
    world.say(ANN, trial, SubscriptionTrialEnded(trial_end=START + 14 * DAY))
    assert due(99) == []
    world.say(ANN, trial, SubscriptionTrialChanged(trial_end=START + 20 * DAY))
    assert due(20) == [(trial, "trial_end")]
    world.say(ANN, trial, SubscriptionActivated())
    assert due(99) == []
    world.say(ANN, trial, SubscriptionPastDue(since=START + 30 * DAY))
    assert due(36) == []
    assert due(37) == [(trial, "grace_end")]
    world.say(ANN, trial, SubscriptionGraceEnded(grace_end=START + 37 * DAY))
    assert due(99) == []


def test_a_grant_that_is_over_is_no_deadline(world: World) -> None:
    connection = world.connection
    stream = derived_id(bucket_in(ANN), "grant")
    given = gift(GrantEffect.GRANT, term(EXPORT, True), 0, 9)
    assert given.expires_at is not None
    world.say(ANN, stream, given)
    assert [d.stream for d in deadlines.due(connection, given.expires_at, 9)] == [stream]
    world.say(ANN, stream, GrantExpired(expires_at=given.expires_at))
    assert deadlines.due(connection, given.expires_at, 9) == []


def test_a_snapshot_is_read_alike_on_an_asynchronous_connection(
    world: World, database_url: str
) -> None:
    stream = subscription.subscription_id(ANN, ACCOUNT, "sub_1")
    world.say(ANN, stream, started_event(SubscriptionStatus.ACTIVE))

    async def read() -> dict[UUID, entitlements.Snapshot]:
        async with await psycopg.AsyncConnection.connect(database_url) as connection:
            parameters = entitlements.snapshot_parameters([ANN, BOB])
            cursor = await connection.execute(entitlements.SNAPSHOT, parameters)
            return entitlements.read_snapshots(await cursor.fetchall())

    found = asyncio.run(read())
    assert found == entitlements.snapshots(world.connection, [ANN, BOB])
    assert found[ANN].position == 1
