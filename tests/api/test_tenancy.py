"""What belongs to another project is not there: the same answer as for what never was."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import httpx2
import pytest

from tests import stripe_messages as stripe
from tests.api.site import Json, Site, Tenant

_PATHS = {
    "/customers/{}": ["customer", "name"],
    "/entitlements?customer={}": ["customer", "name"],
    "/entitlements/check?customer={}&feature=export": ["customer", "name"],
    "/entitlements/check?customer={}&feature=export&known_at=2026-01-01T00:00:00Z": [
        "customer",
        "name",
    ],
    "/subscriptions?customer={}": ["customer", "name"],
    "/subscriptions/{}": ["subscription", "customer"],
    "/invoices?customer={}": ["customer", "name"],
    "/invoices/{}": ["invoice", "customer", "subscription"],
    "/admin/grants?customer={}": ["customer", "name"],
}
_MATRIX = [(path, kind) for path, kinds in _PATHS.items() for kind in kinds]


@pytest.fixture(scope="module")
def theirs(site: Site, acme: Tenant, other: Tenant) -> dict[str, str]:
    """Ids of everything the project acme has."""
    now = datetime.now(UTC)
    site.webhook("customer.created", stripe.customer())
    site.webhook("product.created", stripe.product())
    site.webhook("price.created", stripe.price())
    site.webhook(
        "customer.subscription.created", stripe.subscription(now, now + timedelta(days=30))
    )
    site.webhook("invoice.finalized", stripe.invoice(now))
    site.until(lambda: site.get("/invoices", acme.reader).json()["data"])
    site.until(lambda: site.get("/subscriptions", acme.reader).json()["data"])
    customer = site.customer(acme, "ann")
    grant = site.grant(acme, "ann", "export")
    return {
        "customer": customer["id"],
        "name": "ann",
        "subscription": site.get("/subscriptions", acme.reader).json()["data"][0]["id"],
        "invoice": site.get("/invoices", acme.reader).json()["data"][0]["id"],
        "grant": grant["id"],
    }


@pytest.mark.parametrize(("path", "kind"), _MATRIX)
def test_reading_what_another_project_has(
    site: Site, acme: Tenant, other: Tenant, theirs: dict[str, str], path: str, kind: str
) -> None:
    mine = site.call("GET", path.format(theirs[kind]), acme.writer)
    fitting = "customer" if kind == "name" else kind
    assert (mine.status_code == 200) == (fitting == _PATHS[path][0])
    absent = "never-was" if kind == "name" else str(uuid4())
    refused = site.call("GET", path.format(theirs[kind]), other.writer)
    missing = site.call("GET", path.format(absent), other.writer)
    assert refused.status_code == missing.status_code == 404
    assert _told(refused, theirs[kind]) == _told(missing, absent)


@pytest.mark.parametrize("kind", ["customer", "name", "grant"])
def test_changing_what_another_project_has(
    site: Site, other: Tenant, theirs: dict[str, str], kind: str
) -> None:
    absent = "never-was" if kind == "name" else str(uuid4())
    for path, asked in _writes(kind):
        answers = []
        for target in (theirs[kind], absent):
            answer = site.post(path, other.writer, asked | {_field(kind): target})
            assert answer.status_code == 404, answer.text
            answers.append(_told(answer, target))
        assert answers[0] == answers[1]


def test_lists_hold_ones_own_alone(
    site: Site, acme: Tenant, other: Tenant, theirs: dict[str, str]
) -> None:
    for path in ("/subscriptions", "/invoices", "/admin/grants"):
        assert site.get(path, acme.writer).json()["data"]
        assert site.get(path, other.writer).json()["data"] == []


def _field(kind: str) -> str:
    return "grant" if kind == "grant" else "customer"


def _writes(kind: str) -> list[tuple[str, Json]]:
    if kind == "grant":
        return [("/admin/revoke", {"reason": "x"})]
    asked: Json = {"feature": "export", "reason": "x"}
    return [("/admin/grant", asked), ("/admin/revoke", asked)]


def _told(answer: httpx2.Response, target: str) -> Json:
    document: Json = answer.json()
    document.pop("request_id")
    return {
        name: value.replace(target, "it") if isinstance(value, str) else value
        for name, value in document.items()
    }
