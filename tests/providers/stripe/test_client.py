"""Our calls through Stripe's own package, over HTTP, to a server that answers as it is told."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qs, urlsplit

import pytest

from ledger.errors import NotFound, Unavailable
from ledger.facts import (
    AllocationFact,
    CustomerFact,
    Fact,
    InvoiceFact,
    ProviderAccount,
    SubscriptionFact,
)
from providers.port import Gateway, ProviderRefused, Reading, UnknownShape
from providers.stripe import API_VERSION
from providers.stripe.client import StripeGateway
from tests.providers.stripe.shapes import (
    NEW_INVOICE,
    NEW_ITEM,
    NEW_SUBSCRIPTION,
    PRICE,
    PRODUCT,
    Json,
)

ACCOUNT = ProviderAccount("stripe", "acct_1", livemode=False)
ANSWERED_AT = datetime(2026, 11, 20, 12, tzinfo=UTC)


@dataclass
class Answer:
    body: object
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    date: str | None = "Fri, 20 Nov 2026 12:00:00 GMT"


@dataclass
class Asked:
    path: str
    query: dict[str, list[str]]
    headers: Message


class Peer:
    """A server that gives each path its answers in turn, the last one for good."""

    def __init__(self) -> None:
        self.answers: dict[str, list[Answer]] = {}
        self.asked: list[Asked] = []
        self.url = ""

    def says(self, path: str, *answers: Answer) -> None:
        self.answers[path] = list(answers)

    def answer(self, asked: Asked) -> Answer:
        self.asked.append(asked)
        waiting = self.answers[asked.path]
        return waiting.pop(0) if len(waiting) > 1 else waiting[0]


@contextmanager
def serving(peer: Peer) -> Iterator[None]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            url = urlsplit(self.path)
            answer = peer.answer(Asked(url.path, parse_qs(url.query), self.headers))
            raw = (
                answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body).encode()
            )
            self.send_response_only(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            if answer.date:
                self.send_header("Date", answer.date)
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Tests are quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    peer.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def peer() -> Iterator[Peer]:
    made = Peer()
    with serving(made):
        yield made


def gateway(peer: Peer, retries: int = 0) -> StripeGateway:
    return StripeGateway(
        "sk_test_1", ACCOUNT, api_base=peer.url, timeout_seconds=5, retries=retries
    )


def read(reading: Reading) -> tuple[Fact, ...]:
    assert isinstance(reading, tuple)
    return reading


CUSTOMER: Json = {
    "id": "cus_1",
    "object": "customer",
    "livemode": False,
    "metadata": {"folio_project": "acme"},
}


def test_a_fetched_object_is_an_observation_at_stripes_time(peer: Peer) -> None:
    peer.says("/v1/customers/cus_1", Answer(CUSTOMER))
    port: Gateway = gateway(peer)
    (fact,) = read(port.customer("cus_1"))
    assert fact == CustomerFact(
        account=ACCOUNT,
        provider_id="cus_1",
        observed_at=ANSWERED_AT,
        source="fetched cus_1",
        project="acme",
        customer_id=None,
        external_id=None,
        deleted=False,
    )
    assert peer.asked[0].headers["Stripe-Version"] == API_VERSION
    assert peer.asked[0].headers["Authorization"] == "Bearer sk_test_1"


def test_a_connected_account_is_spoken_for(peer: Peer) -> None:
    peer.says("/v1/customers/cus_1", Answer(CUSTOMER))
    StripeGateway(
        "sk_test_1", ACCOUNT, api_base=peer.url, connected_account="acct_9", retries=0
    ).customer("cus_1")
    assert peer.asked[0].headers["Stripe-Account"] == "acct_9"


def test_a_deleted_customer_is_an_answer(peer: Peer) -> None:
    stub = {"id": "cus_1", "object": "customer", "deleted": True}
    peer.says("/v1/customers/cus_1", Answer(stub))
    (fact,) = read(gateway(peer).customer("cus_1"))
    assert isinstance(fact, CustomerFact)
    assert fact.deleted


def test_products_and_prices(peer: Peer) -> None:
    peer.says("/v1/products/prod_1", Answer(PRODUCT))
    peer.says("/v1/prices/price_1", Answer(PRICE))
    assert len(read(gateway(peer).product("prod_1"))) == 1
    assert len(read(gateway(peer).price("price_1"))) == 1


def test_an_id_is_never_a_path(peer: Peer) -> None:
    peer.says("/v1/products/..%2Fcustomers%3Fa%20b", Answer(PRODUCT))
    gateway(peer).product("../customers?a b")


def test_a_subscription_comes_with_all_items(peer: Peer) -> None:
    cut = {**NEW_SUBSCRIPTION, "items": {"data": [NEW_ITEM], "has_more": True}}
    more = [{**NEW_ITEM, "id": f"si_{number}"} for number in range(1, 4)]
    peer.says("/v1/subscriptions/sub_1", Answer(cut))
    peer.says(
        "/v1/subscription_items",
        Answer({"object": "list", "data": more[:2], "has_more": True}),
        Answer({"object": "list", "data": more[2:], "has_more": False}),
    )
    *_, fact = read(gateway(peer).subscription("sub_1"))
    assert isinstance(fact, SubscriptionFact)
    assert [item.provider_id for item in fact.items] == ["si_1", "si_2", "si_3"]
    assert peer.asked[1].query == {"limit": ["100"], "subscription": ["sub_1"]}
    assert peer.asked[2].query["starting_after"] == ["si_2"]


def test_an_invoice_comes_with_all_lines_and_its_payments(peer: Peer) -> None:
    cut = {**NEW_INVOICE, "lines": {"data": [], "has_more": True}}
    lines = [{"id": f"il_{number}", "amount": 1} for number in range(3)]
    peer.says("/v1/invoices/in_1", Answer(cut))
    peer.says("/v1/invoices/in_1/lines", Answer({"data": lines, "has_more": False}))
    fact, allocation = read(gateway(peer).invoice("in_1"))
    assert isinstance(fact, InvoiceFact)
    assert isinstance(allocation, AllocationFact)
    assert [line.provider_id for line in fact.lines] == ["il_0", "il_1", "il_2"]
    assert peer.asked[0].query == {"expand[0]": ["payments"]}


def error(kind: str, code: str | None = None) -> Json:
    return {"error": {"type": kind, "code": code, "message": "no"}}


def test_what_is_not_there_is_not_found(peer: Peer) -> None:
    missing = Answer(error("invalid_request_error", "resource_missing"), 404)
    peer.says("/v1/customers/cus_0", missing)
    with pytest.raises(NotFound) as refused:
        gateway(peer).customer("cus_0")
    assert (refused.value.kind, refused.value.reference) == ("customer", "cus_0")


@pytest.mark.parametrize("status", [409, 429, 500, 502, 503])
def test_a_server_in_trouble_is_unavailable(peer: Peer, status: int) -> None:
    peer.says("/v1/customers/cus_1", Answer(error("api_error"), status))
    with pytest.raises(Unavailable):
        gateway(peer).customer("cus_1")


@pytest.mark.parametrize(("advice", "wait"), [("7", 7), ("86400", 60), ("soon", 1), ("0", 1)])
def test_an_advised_wait_is_kept_within_reason(peer: Peer, advice: str, wait: int) -> None:
    refusal = Answer(error("rate_limit_error"), 429, {"Retry-After": advice})
    peer.says("/v1/customers/cus_1", refusal)
    with pytest.raises(Unavailable) as refused:
        gateway(peer).customer("cus_1")
    assert refused.value.retry_after == wait


@pytest.mark.parametrize("status", [400, 401, 403])
def test_a_no_is_a_no(peer: Peer, status: int) -> None:
    peer.says("/v1/customers/cus_1", Answer(error("invalid_request_error", "nope"), status))
    with pytest.raises(ProviderRefused) as refused:
        gateway(peer).customer("cus_1")
    assert refused.value.status == status
    assert "sk_test_1" not in str(refused.value)


def test_nobody_there_is_unavailable() -> None:
    nobody = Peer()
    with serving(nobody):
        pass
    with pytest.raises(Unavailable):
        gateway(nobody).customer("cus_1")


def test_a_hiccup_is_tried_again(peer: Peer) -> None:
    peer.says("/v1/customers/cus_1", Answer(error("api_error"), 503), Answer(CUSTOMER))
    assert len(read(gateway(peer, retries=1).customer("cus_1"))) == 1


@pytest.mark.parametrize(
    "answer",
    [
        Answer(CUSTOMER, date=None),
        Answer(CUSTOMER, date="yesterday"),
        Answer([]),
        Answer(b'{"id": "cus_1", "id": "cus_2"}'),
        Answer({**CUSTOMER, "livemode": True}),
        Answer({**CUSTOMER, "object": None}),
        Answer({**CUSTOMER, "id": None}),
    ],
    ids=["no date", "no such date", "a list", "a duplicate key", "live", "no object", "no id"],
)
def test_an_answer_that_does_not_read(peer: Peer, answer: Answer) -> None:
    peer.says("/v1/customers/cus_1", answer)
    with pytest.raises(UnknownShape):
        gateway(peer).customer("cus_1")


def test_an_answer_that_is_no_json_is_unavailable(peer: Peer) -> None:
    peer.says("/v1/customers/cus_1", Answer(b"<html>", 200))
    with pytest.raises(Unavailable):
        gateway(peer).customer("cus_1")
