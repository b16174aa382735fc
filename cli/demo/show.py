"""The demo from start to stop: servers, processes, the story at the first time, then waiting."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from http import HTTPStatus
from types import FrameType
from typing import Final, Never
from uuid import UUID

import httpx2
from rich.console import Console

from cli.demo.diary import Diary
from cli.demo.loading import load, wait_for_read_models
from cli.demo.ports import PortTaken, choose_port
from cli.demo.processes import Addresses, Processes
from cli.demo.supervisor import Supervisor
from cli.demo.trouble import Trouble
from cli.demo.welcome import welcome
from ledger.clock import Clock, SystemClock, from_unix
from simulation.demo import story
from simulation.demo.account import StripeAccount
from simulation.demo.operator import Operator
from wiring.embedded import AlreadyRunning, ServerFailed, ServerMissing
from wiring.servers import Servers, open_servers
from wiring.settings import Settings

_API_PORT: Final = 8080
_STRIPE_PORT: Final = 8180
_FOLLOW_SECONDS: Final = 5.0
_ANOTHER_DEMO: Final = (
    "This database has a demo project already, loaded from another data directory. Set "
    "FOLIO_DATA_DIR to that directory, or DATABASE_URL to an empty database."
)


class Stopped(BaseException):
    """SIGINT or SIGTERM: leave, stopping what was started on the way out."""


def show(settings: Settings, api_port: int | None, stripe_port: int | None) -> None:
    """Run the demo until it is stopped; raises Trouble when it cannot run."""
    console = Console(highlight=False)
    clock = SystemClock()
    try:
        with _stopped_by_signals(console):
            addresses = Addresses(
                settings.api_host,
                choose_port(settings.api_host, api_port, _API_PORT, "FOLIO_API_PORT"),
                choose_port("127.0.0.1", stripe_port, _STRIPE_PORT, "FOLIO_DEMO_STRIPE_PORT"),
            )
            console.print("  Starting PostgreSQL and Valkey ...")
            with (
                open_servers(settings) as servers,
                Supervisor(settings.data_dir / "logs", _teller(console)) as supervisor,
                StripeAccount(addresses.stripe) as stripe,
            ):
                processes = Processes(supervisor, settings, servers, addresses)
                _Demo(settings, servers, addresses, processes, stripe, clock, console).run()
    except Stopped:
        console.print("  Stopped.")
    except (PortTaken, AlreadyRunning, ServerMissing, ServerFailed) as error:
        raise Trouble(str(error), 2) from error
    except httpx2.HTTPError as error:
        raise Trouble(f"{error}; the logs are in {settings.data_dir / 'logs'}.") from error


class _Demo:
    """One run, on servers that answer."""

    def __init__(
        self,
        settings: Settings,
        servers: Servers,
        addresses: Addresses,
        processes: Processes,
        stripe: StripeAccount,
        clock: Clock,
        console: Console,
    ) -> None:
        self._data_dir = settings.data_dir.resolve()
        self._servers = servers
        self._addresses = addresses
        self._processes = processes
        self._stripe = stripe
        self._clock = clock
        self._console = console
        half_a_year_ago = int((clock.now() - story.LENGTH).timestamp())
        self._diary = Diary.open(self._data_dir, half_a_year_ago)

    def run(self) -> Never:
        if self._diary.loaded and self._processes.stripe_has_state:
            self._start_again()
        else:
            self._start_first()
        key = self._diary.api_key or ""
        self._console.print(
            welcome(self._addresses.api, key, self._began, str(self._data_dir)),
            soft_wrap=True,
            markup=False,
        )
        self._keep_time()

    @property
    def _began(self) -> datetime:
        return from_unix(self._diary.began)

    def _start_again(self) -> None:
        """The story was told before; what a user waits for comes first."""
        self._processes.start_api(self._diary.webhook_secret or "")
        self._processes.start_stripe(self._began)
        self._processes.start_worker()
        self._processes.await_stripe()
        self._processes.await_api()
        self._processes.start_scheduler()
        # Webhooks that were on their way when the last run ended, and a port that may have changed.
        endpoint = f"/v1/webhook_endpoints/{self._diary.webhook_endpoint}"
        self._stripe.post(endpoint, {"url": self._addresses.webhooks})
        self._stripe.redeliver()

    def _start_first(self) -> None:
        """One after the other, and then the story.

        A story that was broken off is told again from its beginning by a Stripe that begins anew:
        what Folio has heard already comes under the same event ids, and changes nothing.
        """
        unheard_of = not Diary.exists(self._data_dir)
        self._diary.keep(self._data_dir)
        self._console.print("  Starting the simulated Stripe, the API and a worker ...")
        self._processes.forget_stripe()
        self._processes.start_stripe(self._began)
        self._processes.start_worker()
        self._processes.await_stripe()
        wanted = {"url": self._addresses.webhooks, "enabled_events": ["*"]}
        endpoint = self._stripe.post("/v1/webhook_endpoints", wanted)
        self._diary.webhook_endpoint = endpoint["id"]
        self._diary.webhook_secret = endpoint["secret"]
        self._processes.start_api(endpoint["secret"])
        self._processes.await_api()
        with Operator(self._addresses.api, self._processes.operator_key) as operator:
            app = self._open_shop(operator, unheard_of=unheard_of)
            if self._diary.api_key is None:
                self._diary.api_key = operator.issue_key(app)
            self._diary.keep(self._data_dir)
            load(self._console, self._stripe, self._began, self._servers.database_url)
            operator.do_favours(self._diary.api_key, self._began + story.LENGTH)
        # Only now: while half a year passes in seconds, everything would be overdue.
        self._processes.start_scheduler()
        wait_for_read_models(self._servers.database_url)
        self._diary.loaded = True
        self._diary.keep(self._data_dir)

    def _open_shop(self, operator: Operator, *, unheard_of: bool) -> UUID:
        """The demo's app; Trouble when its project is somebody else's."""
        try:
            shop = operator.open_shop()
        except httpx2.HTTPStatusError as error:
            if error.response.status_code != HTTPStatus.CONFLICT:
                raise
        else:
            if shop.new or not unheard_of:
                return shop.app
        Diary.forget(self._data_dir)
        raise Trouble(_ANOTHER_DEMO, 2)

    def _keep_time(self) -> Never:
        """From now on the simulated Stripe lives by our clock, and bills on."""
        while True:
            try:
                self._stripe.advance(int(self._clock.now().timestamp()))
            except httpx2.HTTPError as error:
                self._console.print(f"  The simulated Stripe: {error}", markup=False)
            time.sleep(_FOLLOW_SECONDS)


def _teller(console: Console) -> Callable[[str], None]:
    return lambda text: console.print(f"  {text}", markup=False, soft_wrap=True)


@contextmanager
def _stopped_by_signals(console: Console) -> Iterator[None]:
    """Turn the first signal into Stopped; later ones do not disturb the stopping."""

    def stop(number: int, frame: FrameType | None) -> None:
        for each in (signal.SIGINT, signal.SIGTERM):
            signal.signal(each, signal.SIG_IGN)
        console.print("\n  Stopping ...")
        raise Stopped

    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, stop)
    yield
