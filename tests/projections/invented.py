"""Invented histories: streams of every noun with events in any order that could be recorded."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from random import Random
from uuid import UUID

from ledger.events.base import Event, RecordedEvent
from ledger.events.catalog import (
    Feature,
    FeatureDefined,
    FeatureKind,
    FeatureTerm,
    FeatureValue,
    MergeRule,
    PlanDefined,
    PricePublished,
    PriceRestored,
    PriceRetired,
    ProductChanged,
    ProductPublished,
    ProductRestored,
    ProductRetired,
)
from ledger.events.customer import (
    CustomerClosed,
    CustomerIdentified,
    CustomerLinked,
    CustomerRegistered,
)
from ledger.events.grant import GrantEffect, GrantExpired, GrantGiven, GrantRevoked
from ledger.events.invoice import (
    InvoiceCollectionFailed,
    InvoiceIssued,
    InvoiceLine,
    InvoiceMarkedUncollectible,
    InvoiceRecovered,
    InvoiceSettled,
    InvoiceVoided,
)
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
    SubscriptionCancelUnscheduled,
    SubscriptionCollectionPaused,
    SubscriptionCollectionResumed,
    SubscriptionConfirmed,
    SubscriptionEnded,
    SubscriptionGraceEnded,
    SubscriptionIncomplete,
    SubscriptionItem,
    SubscriptionItemsChanged,
    SubscriptionPastDue,
    SubscriptionPaused,
    SubscriptionPeriodAdvanced,
    SubscriptionStarted,
    SubscriptionStatus,
    SubscriptionTrialChanged,
    SubscriptionTrialEnded,
    SubscriptionTrialStarted,
    SubscriptionUnpaid,
)
from ledger.ids import bucket_in, derived_id
from ledger.money import Money
from ledger.period import Interval, Period, Unit
from tests.projections.history import NOBODY, PROJECT, START, customer_named

EXPORT = Feature(key="export", kind=FeatureKind.BOOLEAN, merge=MergeRule.ANY)
SEATS = Feature(key="seats", kind=FeatureKind.LIMIT, merge=MergeRule.MAX)
CREDITS = Feature(key="credits", kind=FeatureKind.LIMIT, merge=MergeRule.SUM)
TIER = Feature(
    key="tier", kind=FeatureKind.ENUM, merge=MergeRule.HIGHEST, ranks=("free", "pro", "team")
)
LOOK = Feature(key="look", kind=FeatureKind.CONFIG, merge=MergeRule.LATEST)
FEATURES = (EXPORT, SEATS, CREDITS, TIER, LOOK)

Invent = Callable[["Inventor", int], Event]


class Inventor:
    """Makes events up; the same seed makes the same history."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.now = START
        self._positions: defaultdict[int, int] = defaultdict(int)
        self._versions: defaultdict[UUID, int] = defaultdict(int)

    def history(self, length: int) -> list[RecordedEvent]:
        """So many events of a few streams of each noun, in the order they were recorded."""
        streams = self._streams()
        return [self._record(*self.random.choice(streams)) for _ in range(length)]

    def _streams(self) -> list[tuple[UUID, UUID, Invent]]:
        streams: list[tuple[UUID, UUID, Invent]] = [
            (PROJECT, PROJECT, project_event),
            (self._own(PROJECT, "app"), PROJECT, app_event),
            (self._own(PROJECT, "feature"), PROJECT, feature_event),
            (self._own(PROJECT, "plan"), PROJECT, plan_event),
            (self._own(PROJECT, "product"), PROJECT, product_event),
            (self._own(PROJECT, "price"), PROJECT, price_event),
        ]
        for name in ("ann", "bob"):
            owner = customer_named(name)
            streams.append((owner, owner, customer_event))
            for number in ("1", "2"):
                streams += [
                    (self._own(owner, "subscription", number), owner, subscription_event),
                    (self._own(owner, "grant", number), owner, grant_event),
                    (self._own(owner, "invoice", number), owner, invoice_event),
                    (self._own(owner, "payment", number), owner, payment_event),
                ]
        return streams

    def _own(self, owner: UUID, *parts: str) -> UUID:
        return derived_id(bucket_in(owner), str(owner), *parts)

    def _record(self, stream: UUID, owner: UUID, invent: Invent) -> RecordedEvent:
        # Several events of one append share their moment.
        self.now += timedelta(hours=self.random.choice((0, 0, 1, 30, 200)))
        self.owner = owner
        bucket = bucket_in(owner)
        self._positions[bucket] += 1
        self._versions[stream] += 1
        version = self._versions[stream]
        return RecordedEvent(
            bucket=bucket,
            position=self._positions[bucket],
            stream=stream,
            version=version,
            event=invent(self, version),
            project=PROJECT,
            owner=owner,
            recorded_at=self.now,
            effective_at=self.moment(-48, 4),
            actor="inventor",
            correlation=NOBODY,
            causation=None,
        )

    def moment(self, earliest_hours: int, latest_hours: int) -> datetime:
        return self.now + timedelta(hours=self.random.randint(earliest_hours, latest_hours))

    def perhaps(self, value: datetime) -> datetime | None:
        return value if self.random.random() < 0.7 else None

    def money(self) -> Money:
        return Money(self.random.randint(0, 9_999), "eur")

    def term(self) -> FeatureTerm:
        feature = self.random.choice(FEATURES)
        values: dict[str, list[FeatureValue]] = {
            "export": [True, False],
            "seats": [0, 5, 10, None],
            "credits": [0, 100, None],
            "tier": ["free", "pro", "team"],
            "look": ['{"a":1}', '{"b":"ü"}'],
        }
        return FeatureTerm(feature=feature, value=self.random.choice(values[feature.key]))

    def terms(self) -> tuple[FeatureTerm, ...]:
        chosen = {term.feature.key: term for term in (self.term() for _ in range(3))}
        return tuple(chosen[key] for key in sorted(chosen))

    def items(self) -> tuple[SubscriptionItem, ...]:
        return tuple(self._item(number) for number in range(self.random.randint(1, 2)))

    def _item(self, number: int) -> SubscriptionItem:
        start = self.moment(-100, 0)
        period = Period(start, start + timedelta(days=self.random.choice((7, 30))))
        return SubscriptionItem(
            provider_id=f"si_{number}",
            price=derived_id(1, "price"),
            plan="pro",
            plan_version=1,
            terms=self.terms(),
            grace_days=self.random.choice((0, 3, 7)),
            leeway_hours=self.random.choice((0, 24)),
            amount=self.money(),
            interval=Interval(Unit.MONTH),
            quantity=1,
            period=period if self.random.random() < 0.8 else None,
        )


def subscription_event(inventor: Inventor, version: int) -> Event:
    if version == 1:
        statuses = [s for s in SubscriptionStatus if not s.endswith(("canceled", "expired"))]
        return SubscriptionStarted(
            customer=inventor.owner,
            provider_id="sub_1",
            status=inventor.random.choice(statuses),
            items=inventor.items(),
            began_at=inventor.moment(-20, 0),
            trial_end=inventor.perhaps(inventor.moment(-10, 300)),
        )
    later: Sequence[Event] = (
        SubscriptionActivated(),
        SubscriptionActivated(),
        SubscriptionCancelScheduled(at=inventor.moment(-10, 500), at_period_end=True),
        SubscriptionCancelUnscheduled(),
        SubscriptionCollectionPaused(),
        SubscriptionCollectionResumed(),
        SubscriptionConfirmed(),
        SubscriptionEnded(status=SubscriptionStatus.CANCELED, reason="asked"),
        SubscriptionGraceEnded(grace_end=inventor.now),
        SubscriptionIncomplete(),
        SubscriptionItemsChanged(items=inventor.items()),
        SubscriptionPastDue(since=inventor.moment(-60, 0)),
        SubscriptionPaused(reason=None),
        SubscriptionPeriodAdvanced(items=inventor.items()),
        SubscriptionTrialChanged(trial_end=inventor.perhaps(inventor.moment(-10, 300))),
        SubscriptionTrialEnded(trial_end=inventor.now),
        SubscriptionTrialStarted(trial_end=inventor.perhaps(inventor.moment(-10, 300))),
        SubscriptionUnpaid(),
    )
    return inventor.random.choice(later)


def grant_event(inventor: Inventor, version: int) -> Event:
    if version == 1:
        return GrantGiven(
            customer=inventor.owner,
            effect=inventor.random.choice(list(GrantEffect)),
            term=inventor.term(),
            starts_at=inventor.moment(-100, 100),
            expires_at=inventor.perhaps(inventor.moment(-100, 500)),
            reason="a favour",
        )
    later = (GrantRevoked(reason="enough"), GrantExpired(expires_at=inventor.now))
    return inventor.random.choice(later)


def invoice_event(inventor: Inventor, version: int) -> Event:
    total = inventor.money()
    if version == 1:
        line = InvoiceLine(
            provider_id="il_1",
            price_provider_id=None,
            quantity=1,
            amount=total,
            period=None,
            proration=False,
        )
        return InvoiceIssued(
            customer=inventor.owner,
            subscription=None,
            provider_id="in_1",
            number="1",
            total=total,
            tax=Money(0, "eur"),
            lines=(line,),
        )
    attempt = InvoiceCollectionFailed(
        attempt=version, next_attempt_at=inventor.perhaps(inventor.moment(0, 50))
    )
    later: Sequence[Event] = (
        InvoiceSettled(paid=total),
        attempt,
        InvoiceVoided(total=total, tax=total, written_off=total),
        InvoiceMarkedUncollectible(written_off=total),
        InvoiceRecovered(recovered=total),
    )
    return inventor.random.choice(later)


def payment_event(inventor: Inventor, version: int) -> Event:
    amount = inventor.money()
    invoice = derived_id(bucket_in(inventor.owner), str(inventor.owner), "invoice", "1")
    choices: Sequence[Event] = (
        PaymentSucceeded(customer=inventor.owner, provider_id="pi_1", amount=amount),
        PaymentFailed(
            customer=inventor.owner,
            provider_id="pi_1",
            amount=amount,
            attempt=str(version),
            reason="declined",
        ),
        PaymentAllocated(allocation=str(version), invoice=invoice, amount=amount),
    )
    return inventor.random.choice(choices)


def customer_event(inventor: Inventor, version: int) -> Event:
    if version == 1:
        return CustomerRegistered(external_id=inventor.random.choice(("ann", None)))
    link = CustomerLinked(
        provider="stripe", account="acct_1", livemode=False, provider_id=f"cus_{version % 3}"
    )
    closed = CustomerClosed(provider_id=f"cus_{version % 2}")
    identified = CustomerIdentified(external_id=f"name {version}")
    return inventor.random.choice((link, closed, identified))


def project_event(inventor: Inventor, version: int) -> Event:
    if version == 1:
        return ProjectCreated(slug="acme", name="Acme")
    return ProviderAccountConnected(
        provider="stripe", account="acct_1", livemode=False, home=PROJECT
    )


def app_event(inventor: Inventor, version: int) -> Event:
    if version == 1:
        return AppRegistered(name="notes")
    key_id = f"key{inventor.random.randint(1, 3)}"
    choices: Sequence[Event] = (
        ApiKeyIssued(key_id=key_id, secret_hash="hash", scope=Scope.READ),
        ApiKeyRetired(key_id=key_id, until=inventor.now),
        ApiKeyRevoked(key_id=key_id, reason="lost"),
    )
    return inventor.random.choice(choices)


def feature_event(inventor: Inventor, version: int) -> Event:
    return FeatureDefined(feature=inventor.random.choice(FEATURES))


def plan_event(inventor: Inventor, version: int) -> Event:
    return PlanDefined(
        key="pro",
        plan_version=version,
        terms=inventor.terms(),
        grace_days=inventor.random.randint(0, 9),
        leeway_hours=24,
    )


def product_event(inventor: Inventor, version: int) -> Event:
    if version == 1:
        return ProductPublished(provider_id="prod_1", name="Pro", plan="pro")
    changed = ProductChanged(name=f"Pro {version}", plan="pro")
    return inventor.random.choice((changed, ProductRetired(deleted=False), ProductRestored()))


def price_event(inventor: Inventor, version: int) -> Event:
    if version == 1:
        return PricePublished(
            provider_id="price_1",
            product=derived_id(1, "product"),
            amount=inventor.money() if inventor.random.random() < 0.5 else None,
            interval=Interval(Unit.YEAR) if inventor.random.random() < 0.5 else None,
        )
    return inventor.random.choice((PriceRetired(deleted=True), PriceRestored()))
