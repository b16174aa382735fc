"""The demo's own four processes: API, worker, scheduler and the simulated Stripe."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

import httpx2

from cli.demo.supervisor import Supervisor
from cli.demo.trouble import Trouble
from simulation.demo.account import SECRET_KEY
from wiring.local_secrets import local_secret
from wiring.servers import Servers
from wiring.settings import Settings

_FOLIO: Final = (sys.executable, "-P", "-c", "from cli.main import app; app()")
_STRIPE: Final = (sys.executable, "-P", "-m", "simulation.demo.provider")
_READY_SECONDS: Final = 60.0
_SETBACKS: Final = 3


@dataclass(frozen=True)
class Addresses:
    """Where the API and the simulated Stripe listen."""

    host: str
    api_port: int
    stripe_port: int

    @property
    def api(self) -> str:
        host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(self.host, self.host)  # noqa: S104
        return f"http://{host}:{self.api_port}"

    @property
    def stripe(self) -> str:
        return f"http://127.0.0.1:{self.stripe_port}"

    @property
    def webhooks(self) -> str:
        return f"{self.api}/api/v1/webhooks/stripe"


class Processes:
    """Starts each process with what it must know, and waits until it answers."""

    def __init__(
        self, supervisor: Supervisor, settings: Settings, servers: Servers, addresses: Addresses
    ) -> None:
        self._supervisor = supervisor
        self._settings = settings
        self._addresses = addresses
        self._state = settings.data_dir.resolve() / "stripe.json"
        self.operator_key = _secret(settings, settings.operator_key, "operator-key")
        self._environment = {
            "DATABASE_URL": servers.database_url,
            "FOLIO_MIGRATION_DATABASE_URL": servers.owner_database_url,
            "REDIS_URL": servers.redis_url,
            "FOLIO_DATA_DIR": str(settings.data_dir.resolve()),
            "FOLIO_API_HOST": addresses.host,
            "FOLIO_API_PORT": str(addresses.api_port),
            "FOLIO_OPERATOR_KEY": self.operator_key,
            "FOLIO_KEY_PEPPER": _secret(settings, settings.key_pepper, "key-pepper"),
            "STRIPE_SECRET_KEY": SECRET_KEY,
            "FOLIO_STRIPE_API_BASE": addresses.stripe,
            "FOLIO_STRIPE_LIVEMODE": "false",
            "PYTHONUNBUFFERED": "1",
        }

    @property
    def stripe_has_state(self) -> bool:
        """Whether the simulated Stripe kept an account from an earlier run."""
        return self._state.exists()

    def forget_stripe(self) -> None:
        """Let the simulated Stripe begin anew; its next start must be its first."""
        self._state.unlink(missing_ok=True)

    def start_stripe(self, began: datetime) -> None:
        port = str(self._addresses.stripe_port)
        arguments = ("--port", port, "--began", began.isoformat(), "--state", str(self._state))
        self._supervisor.start("stripe", [*_STRIPE, *arguments], {"PYTHONUNBUFFERED": "1"})

    def start_api(self, webhook_secret: str) -> None:
        environment = {**self._environment, "STRIPE_WEBHOOK_SECRET": webhook_secret}
        self._supervisor.start("api", [*_FOLIO, "serve"], environment)

    def start_worker(self) -> None:
        self._supervisor.start("worker", [*_FOLIO, "worker"], self._environment)

    def start_scheduler(self) -> None:
        self._supervisor.start("scheduler", [*_FOLIO, "scheduler"], self._environment)

    def await_stripe(self) -> None:
        self._await("stripe", f"{self._addresses.stripe}/_simulator/status")

    def await_api(self) -> None:
        self._await("api", f"{self._addresses.api}/ready")

    def _await(self, name: str, url: str) -> None:
        deadline = time.monotonic() + _READY_SECONDS
        while not _answers(url):
            given_up = self._supervisor.falls(name) >= _SETBACKS
            if given_up or time.monotonic() > deadline:
                log = self._supervisor.log_of(name)
                raise Trouble(f"{name} does not come up; the end of {log}:\n{_tail(log)}")
            time.sleep(0.03)


def _secret(settings: Settings, given: object, name: str) -> str:
    reveal: Callable[[], str] | None = getattr(given, "get_secret_value", None)
    return reveal() if reveal else local_secret(settings.data_dir.resolve(), name)


def _answers(url: str) -> bool:
    try:
        return httpx2.get(url, timeout=2.0, trust_env=False).status_code == 200
    except httpx2.HTTPError:
        return False


def _tail(log: Path, lines: int = 15) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])
