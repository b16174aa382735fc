"""Stripe's messages over HTTP: taken in, folded, visible, listed, replayed, refused."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta

import httpx2
import pytest

from api.app import create_app
from tests import stripe_messages as stripe
from tests.api.site import OPERATOR_KEY, Json, Site, Tenant, serving

URL = "/api/v1/webhooks/stripe"
_OF_ONE_REQUEST = {"instance", "request_id"}


@pytest.fixture(scope="module")
def bought(site: Site, acme: Tenant) -> Json:
    """A customer of Stripe's with a running subscription; the answer to its message."""
    now = datetime.now(UTC)
    site.webhook("customer.created", stripe.customer(metadata={"folio_external_id": "ann"}))
    site.webhook("product.created", stripe.product())
    site.webhook("price.created", stripe.price())
    running = stripe.subscription(now, now + timedelta(days=30))
    return site.webhook("customer.subscription.created", running)


def test_what_stripe_says_becomes_an_entitlement(site: Site, acme: Tenant, bought: Json) -> None:
    assert (bought["status"], bought["new"]) == ("folded", True)
    listed = site.get("/subscriptions", acme.reader)
    site.until(lambda: site.get("/subscriptions", acme.reader).json()["data"])
    subscription = site.get("/subscriptions", acme.reader).json()["data"][0]
    assert subscription["status"] == "active"
    assert subscription["items"][0]["plan"] == "basic"
    one = site.get(f"/subscriptions/{subscription['id']}", acme.reader)
    assert one.json() == subscription
    answer = site.get(
        "/entitlements/check",
        acme.reader,
        customer=subscription["customer"],
        feature="seats",
        min_position=bought["position"],
    ).json()
    assert (answer["allowed"], answer["value"], answer["source"]) == (True, 5, "plan")
    assert listed.status_code == 200


def test_an_invoice_can_be_read(site: Site, acme: Tenant, bought: Json) -> None:
    issued = site.webhook("invoice.finalized", stripe.invoice(datetime.now(UTC)))
    assert issued["status"] == "folded"
    site.until(lambda: site.get("/invoices", acme.reader).json()["data"])
    invoice = site.get("/invoices", acme.reader, status="open").json()["data"][0]
    assert (invoice["total"], invoice["currency"], invoice["number"]) == (1000, "usd", "F-1")
    assert site.get(f"/invoices/{invoice['id']}", acme.reader).json() == invoice
    mine = site.get("/invoices", acme.reader, customer=invoice["customer"]).json()
    assert mine["data"] == [invoice]
    assert site.get("/invoices", acme.reader, status="paid").json()["data"] == []


def test_what_waits_for_a_project_is_released_when_it_begins(site: Site) -> None:
    metadata = {"folio_project": "latecomer"}
    waiting = site.webhook("customer.created", stripe.customer("cus_early", metadata=metadata))
    assert waiting["status"] == "parked"
    begun = site.post("/projects", OPERATOR_KEY, {"slug": "latecomer", "name": "Latecomer"})
    assert begun.status_code == 201, begun.text
    assert site.services.intake.sweep() == 1


def test_a_repeated_message_says_how_far_the_first_has_come(site: Site, bought: Json) -> None:
    created = datetime.now(UTC)
    first = site.webhook("customer.updated", stripe.customer("cus_2"), created)
    again = site.webhook("customer.updated", stripe.customer("cus_2"), created)
    assert (first["new"], again["new"]) == (True, False)
    assert again["id"] == first["id"]


def test_messages_are_listed_by_page_and_replayed(site: Site, acme: Tenant, bought: Json) -> None:
    seen: list[str] = []
    cursor: Json = {}
    while True:
        page = site.get("/admin/webhooks", OPERATOR_KEY, limit=2, **cursor).json()
        assert len(page["data"]) <= 2
        seen += [row["id"] for row in page["data"]]
        if not page["has_more"]:
            break
        cursor = {"cursor": page["next_cursor"]}
    assert len(seen) == len(set(seen)) >= 4
    assert bought["id"] in seen
    folded = site.get("/admin/webhooks", OPERATOR_KEY, status="folded", type="price.created")
    assert [row["status"] for row in folded.json()["data"]] == ["folded"]
    replayed = site.post(f"/admin/webhooks/{bought['id']}/replay", OPERATOR_KEY, {})
    assert (replayed.status_code, replayed.json()["status"]) == (200, "folded")
    unknown = site.post(f"/admin/webhooks/{acme.app}/replay", OPERATOR_KEY, {})
    assert unknown.status_code == 404


@pytest.mark.parametrize(
    "payload",
    [b"", b"{}", b"[]", b"null", b"\xff\xfe", b"[" * 5000, b'{"id": NaN}', b"x" * 600_000],
    ids=["empty", "object", "list", "null", "utf16", "deep", "nan", "large"],
)
@pytest.mark.parametrize("signed", ["well", "badly", "not"])
def test_what_is_not_stripes_is_refused(site: Site, payload: bytes, signed: str) -> None:
    now = datetime.now(UTC)
    headers = {"Content-Type": "application/json"}
    if signed != "not":
        headers["Stripe-Signature"] = stripe.sign(payload, now, stripe.SECRET + signed[4:])
    answer = site.http.post(URL, content=payload, headers=headers)
    assert answer.status_code == (413 if len(payload) > 512 * 1024 else 400)
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("signed", ["well", "badly", "t=1", "\xe9"])
def test_the_shortcut_tells_the_same_as_the_framework(site: Site, signed: str) -> None:
    now = datetime.now(UTC)
    message = stripe.event("customer.created", stripe.customer("cus_twice"), now)
    known = {"well": stripe.sign(message, now), "badly": stripe.sign(message, now, "another")}
    site.http.post(URL, content=message, headers={"Stripe-Signature": known["well"]})
    site.services.intake.settle()
    headers = {b"Stripe-Signature": known.get(signed, signed).encode("latin-1")}
    told = site.http.post(URL, content=message, headers=headers)
    with serving(site.services, create_app(site.services, shortcut=False)) as address:
        behind = httpx2.post(address + URL, content=message, headers=headers)
    assert told.status_code == behind.status_code
    assert told.headers["content-type"] == behind.headers["content-type"]
    ours, theirs = (
        {name: value for name, value in answer.json().items() if name not in _OF_ONE_REQUEST}
        for answer in (told, behind)
    )
    assert ours == theirs


def test_a_body_without_end_is_cut(site: Site) -> None:
    answer = site.http.post(URL, content=(b"x" * 65_536 for _ in range(20)))
    assert answer.status_code == 413


def test_a_message_of_the_other_mode_is_refused(site: Site) -> None:
    now = datetime.now(UTC)
    payload = stripe.event("customer.created", stripe.customer("cus_9"), now, livemode=True)
    answer = site.http.post(
        URL, content=payload, headers={"Stripe-Signature": stripe.sign(payload, now)}
    )
    assert (answer.status_code, answer.json()["code"]) == (400, "wrong_mode")


@pytest.mark.parametrize(
    "cursor",
    ["x", "é", "a" * 513, "a" * 600, base64.b64encode(b"[1]").decode(), "AAAA", "bnVsbA"],
)
@pytest.mark.parametrize("path", ["/admin/webhooks", "/invoices", "/subscriptions"])
def test_a_cursor_of_ones_own_making(site: Site, acme: Tenant, path: str, cursor: str) -> None:
    key = OPERATOR_KEY if path == "/admin/webhooks" else acme.reader
    assert site.get(path, key, cursor=cursor).status_code == 422
