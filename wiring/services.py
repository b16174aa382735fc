"""What a process of the product is made of, built in one place from its settings."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from psycopg import Connection

from commands.dispatch import Dispatcher
from ledger.clock import Clock, SystemClock
from ledger.facts import ProviderAccount
from ledger.journal.posting_rules import entry_for
from ledger.store.postgres_log import PostgresLog
from projections.owners import owner_of
from providers.port import Gateway
from wiring.database import Database
from wiring.folding import Folding
from wiring.hints import Channel, Teller
from wiring.intake import Intake
from wiring.settings import Settings

STRIPE = "stripe"
_STRIPE_SECONDS = 5.0


class NotConfigured(Exception):
    """A setting is missing that this process cannot run without."""


@dataclass(frozen=True, slots=True)
class Services:
    """The parts of one process; `close` ends them in the order they depend on each other."""

    settings: Settings
    clock: Clock
    database: Database
    log: PostgresLog
    dispatcher: Dispatcher
    intake: Intake
    appended: Teller
    projected: Teller

    @property
    def database_url(self) -> str:
        return needed(self.settings.database_url, "DATABASE_URL")

    @property
    def redis_url(self) -> str:
        return needed(self.settings.redis_url, "REDIS_URL")

    def close(self) -> None:
        self.intake.close()
        self.log.close()
        self.database.close()
        self.appended.close()
        self.projected.close()


def needed(value: str | None, name: str) -> str:
    """A setting's value; NotConfigured names it when it is not set."""
    if not value:
        raise NotConfigured(f"{name} is not set")
    return value


def build(settings: Settings, clock: Clock | None = None) -> Services:
    """The services of a process that is told where its database and its Redis are."""
    clock = clock or SystemClock()
    dsn = needed(settings.database_url, "DATABASE_URL")
    redis_url = needed(settings.redis_url, "REDIS_URL")
    appended = Teller(redis_url, Channel.APPENDED)
    database = Database(
        dsn,
        smallest=settings.database_pool_min,
        largest=settings.database_pool_max,
        name="folio",
    )
    log = PostgresLog(dsn, clock, post=entry_for, on_commit=appended.buckets)
    dispatcher = Dispatcher(log, clock)
    return Services(
        settings=settings,
        clock=clock,
        database=database,
        log=log,
        dispatcher=dispatcher,
        intake=_intake(settings, clock, database, dispatcher),
        appended=appended,
        projected=Teller(redis_url, Channel.PROJECTED),
    )


def _intake(settings: Settings, clock: Clock, database: Database, dispatcher: Dispatcher) -> Intake:
    account = ProviderAccount(STRIPE, settings.stripe_account, settings.stripe_livemode)
    folding = Folding(
        database,
        dispatcher,
        clock,
        account=account,
        nominate=_customer_of_invoice,
        gateway=_gateway(settings, account),
    )
    return Intake(
        database,
        folding,
        clock,
        account=account,
        secrets=[secret.get_secret_value() for secret in settings.stripe_webhook_secrets],
        tolerance_seconds=settings.webhook_tolerance_seconds,
    )


def _gateway(settings: Settings, account: ProviderAccount) -> Gateway | None:
    """How Stripe is asked for what a message left out; without a secret key it is not."""
    if settings.stripe_secret_key is None:
        return None
    from providers.stripe.client import StripeGateway  # half a second that few processes need

    return StripeGateway(
        settings.stripe_secret_key.get_secret_value(),
        account,
        api_base=settings.stripe_api_base,
        timeout_seconds=_STRIPE_SECONDS,
        retries=0,  # the sweeper tries again, and nobody waits behind it
    )


def _customer_of_invoice(
    connection: Connection, account: ProviderAccount, provider_id: str
) -> UUID | None:
    owned = owner_of(connection, account, provider_id)
    return owned.customer if owned else None
