"""A project with a plan and customers, made by signed messages through the product's own intake."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from commands.base import Caller, Command
from commands.grant import GiveGrant
from commands.project import ConnectAccount, CreateProject
from ledger.clock import SystemClock
from ledger.events.grant import GrantEffect
from ledger.ids import owner_id
from ledger.project import project_id
from ledger.store.event_log import Receipt
from projections import builds
from projections.registry import PROJECTIONS
from projections.runner import Runner
from tests import stripe_messages as stripe
from tests.installation import eventually
from tests.stripe_messages import SECRET, event, sign
from wiring.intake import Accepted
from wiring.services import STRIPE, Services, build
from wiring.settings import Settings

DAY: Final = timedelta(days=1)
ACME: Final = project_id("acme")
_CALLER: Final = Caller(actor="test", correlation=owner_id("story"))


class Shop:
    """The project acme on a database of its own."""

    def __init__(self, services: Services) -> None:
        self.services = services
        self.now = SystemClock().now()

    @classmethod
    def open(cls, database_url: str, redis_url: str) -> Shop:
        settings = Settings(
            database_url=database_url,
            redis_url=redis_url,
            stripe_webhook_secret=SECRET,
        )
        services = build(settings)
        with services.database.connection() as connection:
            builds.ensure(connection, PROJECTIONS)
        shop = cls(services)
        account = settings.stripe_account
        shop.dispatch(CreateProject(slug="acme", name="Acme"))
        shop.dispatch(
            ConnectAccount(project=ACME, provider=STRIPE, account=account, livemode=False)
        )
        shop.bring("product.created", stripe.product(), shop.now - 40 * DAY)
        return shop

    def dispatch(self, command: Command) -> Receipt:
        return self.services.dispatcher.dispatch(command, _CALLER)

    def bring(self, kind: str, content: stripe.Object, at: datetime) -> Accepted:
        """A signed message, received as the webhook route does."""
        payload = event(kind, content, at)
        return self.services.intake.receive(payload, sign(payload, SystemClock().now()))

    def subscribe(self, name: str, since: datetime, **fields: Any) -> UUID:
        """A customer and a subscription that is in this state since then; the customer's id."""
        customer = stripe.customer(f"cus_{name}")
        receipt = self.bring("customer.created", customer, since).receipt
        content = stripe.subscription(
            since, since + 30 * DAY, f"sub_{name}", customer=f"cus_{name}", **fields
        )
        self.bring("customer.subscription.created", content, since)
        return UUID(receipt.ids["customer"])

    def fill_with_overdue(self) -> None:
        """A trial, a grace and a grant whose time has come, and a trial whose time has not."""
        now = self.now
        over, ahead = int((now - DAY).timestamp()), int((now + DAY).timestamp())
        self.subscribe("trial", now - 15 * DAY, status="trialing", trial_end=over)
        self.subscribe("ahead", now - 15 * DAY, status="trialing", trial_end=ahead)
        customer = self.subscribe("grace", now - 20 * DAY, status="past_due")
        soon = SystemClock().now() + timedelta(milliseconds=300)
        self.dispatch(
            GiveGrant(
                project=ACME,
                key="a-short-grant",
                customer=customer,
                feature="export",
                effect=GrantEffect.GRANT,
                starts_at=now - 10 * DAY,
                expires_at=soon,
                reason="a test",
            )
        )
        self.catch_up()
        eventually(lambda: SystemClock().now() > soon)

    def catch_up(self) -> None:
        """Bring every read model up to the log."""
        services = self.services
        runner = Runner(services.log, services.database_url, PROJECTIONS, services.clock)
        runner.catch_up()
        runner.close()

    def names(self, *wanted: str) -> list[str]:
        """The names of all events so far, or how often these happened."""
        log = self.services.log
        heads = dict.fromkeys(log.heads(), 0)
        names = sorted(recorded.event.NAME for recorded in log.read(heads, 100_000))
        return [name for name in names if not wanted or name in wanted]
