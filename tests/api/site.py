"""A running installation for the tests: a server on a port, read models behind it, and callers."""

from __future__ import annotations

import secrets
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import httpx2
import psycopg
import uvicorn
from starlette.types import ASGIApp

from api.app import create_app
from api.server import server
from commands.base import Caller
from commands.catalog import DefineFeature
from ledger.events.catalog import DEFAULT_MERGE, Feature, FeatureKind
from ledger.ids import owner_id
from projections import builds
from projections.registry import PROJECTIONS
from tests.stripe_messages import SECRET, Object, event, sign
from wiring.services import Services, build
from wiring.settings import Settings
from workers.follower import ReadModels

OPERATOR_KEY: Final = "operator-key-of-the-tests"
Json = dict[str, Any]


def settings(database_url: str, redis_url: str, **more: Any) -> Settings:
    """Settings of an installation on these servers."""
    given = {
        "database_url": database_url,
        "redis_url": redis_url,
        "operator_key": OPERATOR_KEY,
        "key_pepper": "pepper-of-the-tests",
        "stripe_webhook_secret": SECRET,
        "stripe_account": "acct_1",
        "database_pool_min": 0,
        "api_port": 0,
        **more,
    }
    return Settings(_env_file=None, **given)


@contextmanager
def serving(services: Services, app: ASGIApp) -> Iterator[str]:
    """Serve an application on a free port of this machine; its address."""
    running: uvicorn.Server = server(services, app)
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:
        thread = threading.Thread(target=running.run, args=([listening],), daemon=True)
        thread.start()
        deadline = time.monotonic() + 20
        while not running.started:
            assert thread.is_alive(), "the server did not start"
            assert time.monotonic() < deadline, "the server does not start"
            time.sleep(0.005)
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            running.should_exit = True
            thread.join(20)


@dataclass
class Tenant:
    """A project with an app, a write key and a read key."""

    project: str
    app: str
    writer: str
    reader: str
    key_id: str


class Site:
    """An installation and its callers."""

    def __init__(self, services: Services, address: str) -> None:
        self.services = services
        self.address = address
        self.http = httpx2.Client(base_url=address, timeout=20)

    def call(
        self, method: str, path: str, key: str | None = None, **request: Any
    ) -> httpx2.Response:
        """Call a path under /api/v1; unsafe calls get an idempotency key of their own."""
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        if method != "GET":
            headers["Idempotency-Key"] = secrets.token_hex(8)
        headers |= request.pop("headers", {})
        return self.http.request(method, f"/api/v1{path}", headers=headers, **request)

    def get(self, path: str, key: str, **params: str | int) -> httpx2.Response:
        return self.call("GET", path, key, params=params)

    def post(
        self, path: str, key: str, json: Json, headers: Mapping[str, str] | None = None
    ) -> httpx2.Response:
        return self.call("POST", path, key, json=json, headers=headers or {})

    def tenant(self, slug: str, **project: Any) -> Tenant:
        """Begin a project with an app and its keys; returns once the keys open."""
        made = self.post("/projects", OPERATOR_KEY, {"slug": slug, "name": slug, **project})
        assert made.status_code == 201, made.text
        app = self.post(f"/projects/{made.json()['id']}/apps", OPERATOR_KEY, {"name": "app"})
        keys = [
            self.post(f"/apps/{app.json()['id']}/keys", OPERATOR_KEY, {"scope": scope}).json()
            for scope in ("write", "read")
        ]
        tenant = Tenant(
            project=made.json()["id"],
            app=app.json()["id"],
            writer=keys[0]["token"],
            reader=keys[1]["token"],
            key_id=keys[1]["id"],
        )
        for key in (tenant.writer, tenant.reader):
            self.until(lambda key=key: self.get("/subscriptions", key).status_code == 200)
        self.define(tenant, "export", FeatureKind.BOOLEAN)
        self.define(tenant, "seats", FeatureKind.LIMIT)
        return tenant

    def define(self, tenant: Tenant, key: str, kind: FeatureKind) -> None:
        """Bring a feature into a project's catalog."""
        feature = Feature(key=key, kind=kind, merge=DEFAULT_MERGE[kind])
        self.services.dispatcher.dispatch(
            DefineFeature(project=tenant.project, feature=feature),
            Caller(actor="test", correlation=owner_id("test")),
        )

    def customer(self, tenant: Tenant, name: str) -> Json:
        """Register a customer; the answer, whose position can be waited for."""
        made = self.post("/customers", tenant.writer, {"external_id": name})
        assert made.status_code == 201, made.text
        found = self.get(f"/customers/{name}", tenant.reader, min_position=made.json()["position"])
        assert found.status_code == 200, found.text
        answer: Json = made.json()
        return answer

    def grant(self, tenant: Tenant, customer: str, feature: str, **more: Any) -> Json:
        """Give a feature by hand; the answer."""
        asked = {"customer": customer, "feature": feature, "reason": "a gift", **more}
        given = self.post("/admin/grant", tenant.writer, asked)
        assert given.status_code == 201, given.text
        answer: Json = given.json()
        return answer

    def webhook(self, kind: str, content: Object, created: datetime | None = None) -> Json:
        """Send a signed message of Stripe's; the answer."""
        now = datetime.now(UTC)
        payload = event(kind, content, created or now)
        headers = {"Stripe-Signature": sign(payload, now), "Content-Type": "application/json"}
        answered = self.http.post("/api/v1/webhooks/stripe", content=payload, headers=headers)
        assert answered.status_code == 200, answered.text
        answer: Json = answered.json()
        return answer

    def until(self, holds: Any, patience: float = 20.0) -> None:
        """Return once something holds; fails when it takes far too long."""
        deadline = time.monotonic() + patience
        while not holds():
            assert time.monotonic() < deadline, "it never came to hold"
            time.sleep(0.01)


@contextmanager
def site(
    database_url: str,
    redis_url: str,
    *,
    shortcut: bool = True,
    following: bool = True,
    **more: Any,
) -> Iterator[Site]:
    """An installation on a migrated database."""
    with ExitStack() as stack:
        services = stack.enter_context(closing(build(settings(database_url, redis_url, **more))))
        with psycopg.connect(database_url, autocommit=True) as connection:
            builds.ensure(connection, PROJECTIONS)
        if following:
            read_models = ReadModels(services, PROJECTIONS)
            read_models.start()
            stack.callback(read_models.stop)
        app = create_app(services, shortcut=shortcut)
        address = stack.enter_context(serving(services, app))
        running = Site(services, address)
        stack.callback(running.http.close)
        yield running
