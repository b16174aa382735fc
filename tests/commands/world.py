"""A small world for commands: a log in memory, a clock that stands still, and one project."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from commands.base import Caller, Command
from commands.dispatch import Dispatcher
from commands.observe import ObserveAllocation, commands_for
from commands.project import ConnectAccount, CreateProject
from ledger.clock import ManualClock
from ledger.events.base import Event, RecordedEvent
from ledger.events.subscription import SubscriptionStatus
from ledger.facts import (
    CustomerFact,
    Fact,
    InvoiceFact,
    ItemFact,
    PaymentFact,
    PriceFact,
    ProductFact,
    ProviderAccount,
    SubscriptionFact,
)
from ledger.ids import owner_id
from ledger.journal.posting_rules import entry_for
from ledger.money import Money
from ledger.period import Interval, Period, Unit
from ledger.project import project_id
from ledger.store.event_log import Receipt
from ledger.store.memory_log import MemoryLog
from tests.given import day

ACCOUNT = ProviderAccount("stripe", "acct_1", livemode=False)
CALLER = Caller(actor="test", correlation=owner_id("story"))
ACME = project_id("acme")


class World:
    """A dispatcher over a log in memory, with the project acme as the account's home."""

    def __init__(self) -> None:
        self.clock = ManualClock(day(0))
        self.log = MemoryLog(self.clock, post=entry_for)
        self.dispatcher = Dispatcher(self.log, self.clock)

    def with_acme(self) -> World:
        self.do(CreateProject(slug="acme", name="Acme"))
        self.do(
            ConnectAccount(
                project=ACME,
                provider=ACCOUNT.provider,
                account=ACCOUNT.account,
                livemode=ACCOUNT.livemode,
            )
        )
        return self

    def do(self, command: Command) -> Receipt:
        return self.dispatcher.dispatch(command, CALLER)

    def hear(self, *facts: Fact) -> list[Receipt]:
        """Take facts in, one after the other; the last receipt of each."""
        return [[self.do(command) for command in commands_for(fact)][-1] for fact in facts]

    def allocate(self, command: ObserveAllocation) -> Receipt:
        return self.do(command)

    def history(self) -> list[RecordedEvent]:
        """Everything that happened, by bucket and position."""
        return self.log.read(dict.fromkeys(self.log.heads(), 0), 10_000)

    def events(self, *streams: UUID) -> list[Event]:
        """The events of these streams."""
        return [recorded.event for stream in streams for recorded in self.log.stream(stream)]


def customer(name: str = "cus_1", **changes: object) -> CustomerFact:
    plain = CustomerFact(
        account=ACCOUNT,
        provider_id=name,
        observed_at=day(0),
        source="evt_c",
        project=None,
        customer_id=None,
        external_id=None,
        deleted=False,
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


def product(name: str = "prod_basic", **changes: object) -> ProductFact:
    plain = ProductFact(
        account=ACCOUNT,
        provider_id=name,
        observed_at=day(0),
        source="evt_p",
        project=None,
        name="Basic",
        plan="basic",
        features=(("export", "true"), ("seats", "5")),
        grace_days=None,
        leeway_hours=None,
        active=True,
        deleted=False,
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


def price(name: str = "price_basic", **changes: object) -> PriceFact:
    plain = PriceFact(
        account=ACCOUNT,
        provider_id=name,
        observed_at=day(0),
        source="evt_pr",
        product="prod_basic",
        amount=Money(1000, "usd"),
        interval=Interval(Unit.MONTH),
        active=True,
        deleted=False,
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


def item(start: datetime, end: datetime, product_name: str = "prod_basic") -> ItemFact:
    return ItemFact(
        provider_id="si_1",
        price=product_name.replace("prod", "price"),
        product=product_name,
        amount=Money(1000, "usd"),
        interval=Interval(Unit.MONTH),
        quantity=1,
        period=Period(start, end),
    )


def subscription(observed: int = 0, **changes: object) -> SubscriptionFact:
    plain = SubscriptionFact(
        account=ACCOUNT,
        provider_id="sub_1",
        observed_at=day(observed),
        source="evt_s",
        customer="cus_1",
        status=SubscriptionStatus.ACTIVE,
        items=(item(day(0), day(30)),),
        started_at=day(0),
        trial_end=None,
        cancel_at=None,
        cancel_at_period_end=False,
        ended_at=None,
        end_reason=None,
        pause_reason=None,
        collection_paused=False,
        first=False,
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


def invoice(observed: int = 0, **changes: object) -> InvoiceFact:
    plain = InvoiceFact(
        account=ACCOUNT,
        provider_id="in_1",
        observed_at=day(observed),
        source="evt_i",
        customer="cus_1",
        subscription="sub_1",
        status="open",
        number="F-1",
        total=Money(1000, "usd"),
        tax=Money(0, "usd"),
        paid=Money(0, "usd"),
        lines=(),
        issued_at=day(0),
        settled_at=None,
        voided_at=None,
        uncollectible_at=None,
        failed_attempt=None,
        next_attempt_at=None,
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


def payment(observed: int = 0) -> PaymentFact:
    return PaymentFact(
        account=ACCOUNT,
        provider_id="pi_1",
        observed_at=day(observed),
        source="evt_pay",
        customer="cus_1",
        amount=Money(1000, "usd"),
        succeeded=True,
        attempt="ch_1",
        failure=None,
        invoice=None,
    )
