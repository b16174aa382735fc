"""What HTTP rows run on: a database with customers in it, servers as processes, and a load."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import psycopg

from api.api_key import keyed_hash, mint
from bench.bench import Bench
from bench.http_load import Seen, pack
from bench.stripe_messages import SECRET, agreement, event, price, request, sign
from commands.base import Caller
from commands.catalog import DefineFeature
from commands.customer import RegisterCustomer
from commands.grant import GiveGrant
from commands.project import ConnectAccount, CreateProject, IssueKey, RegisterApp
from ledger.customer import customer_id
from ledger.events.catalog import DEFAULT_MERGE, Feature, FeatureKind
from ledger.events.grant import GrantEffect
from ledger.events.project import Scope
from ledger.ids import bucket_in, owner_id
from ledger.project import app_id, project_id
from projections import builds, checkpoints
from projections.registry import PROJECTIONS
from projections.runner import Runner
from wiring.services import Services, build
from wiring.settings import Settings

RAW_TABLE: Final = "bench_raw"
FEATURES: Final = ("export", "seats", "reports", "api", "support")
_CALLER: Final = Caller(actor="bench", correlation=owner_id("bench"))
_PROJECT: Final = project_id("bench")


@dataclass(frozen=True, slots=True)
class Server:
    """A server process."""

    port: int
    pid: int

    @property
    def megabytes(self) -> float:
        """Memory it holds, in MB."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0]) / 1000


class World:
    """A project with customers who hold features, and a key to ask about them."""

    def __init__(self, database_url: str, redis_url: str, customers: int) -> None:
        self._environment = {
            "DATABASE_URL": database_url,
            "REDIS_URL": redis_url,
            "STRIPE_WEBHOOK_SECRET": SECRET,
            "FOLIO_STRIPE_ACCOUNT": "acct_bench",
            "FOLIO_OPERATOR_KEY": "operator",
            "FOLIO_KEY_PEPPER": "pepper",
            "FOLIO_LOG_LEVEL": "ERROR",
        }
        self.services: Services = build(_settings(self._environment))
        self.key = mint()
        self.customers = [f"user_{number}" for number in range(customers)]
        with psycopg.connect(database_url, autocommit=True) as connection:
            builds.ensure(connection, PROJECTIONS)
        self._found()
        with ThreadPoolExecutor(8) as threads:
            list(threads.map(self._bring, self.customers))
        self.catch_up()

    def close(self) -> None:
        self.services.close()

    @contextmanager
    def server(self, kind: str, **environment: str) -> Iterator[Server]:
        """A server process of this kind, ready."""
        with subprocess.Popen(
            [sys.executable, "-m", "bench.http_servers", kind],
            env={**os.environ, **self._environment, **environment},
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            try:
                assert process.stdout is not None
                port = int(process.stdout.readline())
                if port:
                    _wait_for(port)
                yield Server(port, process.pid)
            finally:
                process.terminate()

    def catch_up(self) -> None:
        """Bring the read models to the end of the log."""
        runner = Runner(
            self.services.log, self.services.database_url, PROJECTIONS, self.services.clock
        )
        runner.catch_up()
        runner.close()

    def wait_until_projected(self) -> None:
        """Return once whoever follows has brought the read models to the end of the log."""
        with self.services.database.connection() as connection:
            while any(checkpoints.lag(connection).values()):
                time.sleep(0.002)

    def checks(self) -> list[bytes]:
        """A check for each customer and feature, mixed."""
        asked = [
            f"GET /api/v1/entitlements/check?customer={customer}&feature={feature} HTTP/1.1\r\n"
            f"Host: bench\r\nAuthorization: Bearer {self.key.token}\r\n\r\n".encode()
            for customer in self.customers
            for feature in FEATURES
        ]
        return sorted(asked, key=lambda each: hashlib.md5(each).digest())

    def prepare_buyers(self, count: int) -> list[str]:
        """New customers of the provider, who have bought nothing yet."""
        names = [f"cus_{secrets.token_hex(8)}" for _ in range(count)]
        with ThreadPoolExecutor(8) as threads:
            list(threads.map(self._introduce, names))
        return names

    def purchases(self, buyers: Sequence[str]) -> list[bytes]:
        """A signed message for each buyer, who subscribes."""
        now = datetime.now(UTC)
        return [
            request(event("customer.subscription.created", agreement(buyer, now)))
            for buyer in buyers
        ]

    def introduce_catalog(self) -> None:
        """What can be bought."""
        features = {f"folio_feature_{key}": "true" for key in FEATURES}
        product = {
            "id": "prod_1",
            "object": "product",
            "name": "Plan",
            "active": True,
            "metadata": {"folio_plan": "plan", **features},
        }
        self._take("product.created", product)
        self._take("price.created", price())

    def send(self, server: Server, request: bytes) -> None:
        """Send one request and wait for its answer."""
        with socket.create_connection(("127.0.0.1", server.port), 20) as connection:
            connection.sendall(request)
            assert connection.recv(65_536).startswith(b"HTTP/1.1 200")

    def visible(self, customer: str) -> bool:
        """Whether a buyer's purchase has become an entitlement."""
        found = customer_id(_PROJECT, customer)
        with self.services.database.connection() as connection:
            return (
                connection.execute(
                    "SELECT FROM read_model.entitlement WHERE bucket = %s AND customer = %s",
                    [bucket_in(found), found],
                ).fetchone()
                is not None
            )

    def _found(self) -> None:
        app = app_id(_PROJECT, "bench")
        hashed = keyed_hash(b"pepper", self.key.token.encode()).hex()
        for command in (
            CreateProject(slug="bench", name="Bench"),
            ConnectAccount(
                project=_PROJECT, provider="stripe", account="acct_bench", livemode=False
            ),
            RegisterApp(project=_PROJECT, name="bench"),
            IssueKey(
                project=_PROJECT,
                app=app,
                key_id=self.key.key_id,
                secret_hash=hashed,
                scope=Scope.READ,
            ),
            *(
                DefineFeature(
                    project=_PROJECT,
                    feature=Feature(
                        key=key,
                        kind=FeatureKind.BOOLEAN,
                        merge=DEFAULT_MERGE[FeatureKind.BOOLEAN],
                    ),
                )
                for key in FEATURES
            ),
        ):
            self.services.dispatcher.dispatch(command, _CALLER)

    def _bring(self, name: str) -> None:
        dispatch = self.services.dispatcher.dispatch
        made = dispatch(RegisterCustomer(project=_PROJECT, external_id=name), _CALLER)
        for feature in FEATURES:
            dispatch(
                GiveGrant(
                    project=_PROJECT,
                    key=f"{name}:{feature}",
                    customer=UUID(made.ids["customer"]),
                    feature=feature,
                    effect=GrantEffect.GRANT,
                    reason="bench",
                ),
                _CALLER,
            )

    def _introduce(self, name: str) -> None:
        self._take(
            "customer.created",
            {
                "id": name,
                "object": "customer",
                "metadata": {"folio_external_id": name},
            },
        )

    def _take(self, kind: str, content: dict[str, Any]) -> None:
        payload = event(kind, content)
        accepted = self.services.intake.receive(payload, sign(payload))
        assert accepted.status.value == "folded", accepted


def load(
    port: int,
    requests: Sequence[bytes],
    connections: int,
    *,
    seconds: float = 0,
    rate: float = 0,
) -> Seen:
    """Send requests from a process of their own; what it saw."""
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "bench.http_load",
            f"127.0.0.1:{port}",
            str(connections),
            str(seconds),
            str(rate),
        ],
        input=pack(list(requests)),
        stdout=subprocess.PIPE,
        check=True,
    )
    seen = Seen(**json.loads(done.stdout))
    assert not seen.refused, f"{seen.refused} of {seen.answers} requests were refused"
    return seen


@contextmanager
def open_world(bench: Bench, customers: int) -> Iterator[World]:
    """A world on a fresh database."""
    url, owner_url = bench.database()
    with psycopg.connect(owner_url, autocommit=True) as connection:
        connection.execute(f"CREATE TABLE {RAW_TABLE} (id bigserial PRIMARY KEY, payload bytea)")
        connection.execute(f"GRANT ALL ON {RAW_TABLE}, {RAW_TABLE}_id_seq TO PUBLIC")
    world = World(url, bench.servers.redis_url, customers)
    try:
        yield world
    finally:
        world.close()


def _settings(environment: dict[str, str]) -> Settings:
    before = dict(os.environ)
    os.environ.update(environment)
    try:
        return Settings(_env_file=None)
    finally:
        os.environ.clear()
        os.environ.update(before)


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            with socket.create_connection(("127.0.0.1", port), 1) as probe:
                probe.sendall(b"GET /live HTTP/1.1\r\nHost: bench\r\n\r\n")
                if probe.recv(1):
                    return
        except OSError:
            time.sleep(0.02)
    raise TimeoutError("the server does not start")
