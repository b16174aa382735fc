"""Webhooks: signed, ordered, retried, filtered, and counted until all are acknowledged."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
import stripe
from stripe import StripeClient

from ledger.clock import ManualClock
from simulation.stripe.delivery import signature
from simulation.stripe.server import StripeSimulator
from tests.simulation.shop import Shop
from tests.simulation.webhook_receiver import WebhookReceiver


def listen(shop: Shop, receiver: WebhookReceiver, *types: str) -> str:
    wanted: list[str] = list(types or ["*"])
    endpoint = shop.v1.webhook_endpoints.create(
        {"url": receiver.url, "enabled_events": wanted}  # type: ignore[typeddict-item]
    )
    assert endpoint.secret is not None
    return endpoint.secret


def test_the_sdk_accepts_every_signature(shop: Shop, receiver: WebhookReceiver) -> None:
    secret = listen(shop, receiver)
    shop.subscribe(shop.customer(), shop.price())
    assert shop.simulator.drain()
    seen = [
        stripe.Webhook.construct_event(body, header, secret) for header, body in receiver.received
    ]
    assert [event.id for event in seen] == [event["id"] for event in shop.events()]
    assert all(event.pending_webhooks == 1 for event in seen)
    assert all(event["pending_webhooks"] == 0 for event in shop.events())


def test_a_signature_is_made_of_the_time_and_the_raw_body() -> None:
    made = signature("whsec_test", b'{"id":"evt_1"}', 1_700_000_000)
    assert made.startswith("t=1700000000,v1=")
    stripe.WebhookSignature.verify_header('{"id":"evt_1"}', made, "whsec_test")
    with pytest.raises(stripe.SignatureVerificationError):
        stripe.WebhookSignature.verify_header('{"id":"evt_2"}', made, "whsec_test")


def test_the_time_of_a_signature_is_real_time(receiver: WebhookReceiver) -> None:
    wall = ManualClock(datetime(2030, 5, 5, tzinfo=UTC))
    with StripeSimulator(wall_clock=wall) as simulator:
        client = StripeClient("sk_test_x", base_addresses={"api": simulator.base_url})
        listen(Shop(simulator, client), receiver)
        client.v1.customers.create()
        simulator.drain()
    header, _ = receiver.received[0]
    assert header.startswith(f"t={int(wall.now().timestamp())},v1=")


def test_an_endpoint_hears_only_what_it_asked_for(shop: Shop, receiver: WebhookReceiver) -> None:
    listen(shop, receiver, "invoice.paid", "customer.subscription.updated")
    shop.subscribe(shop.customer(), shop.price())
    shop.simulator.drain()
    assert [event["type"] for event in receiver.events] == [
        "invoice.paid",
        "customer.subscription.updated",
    ]


def test_a_refused_delivery_is_tried_again_in_order(shop: Shop, receiver: WebhookReceiver) -> None:
    listen(shop, receiver)
    receiver.answers = [500, 301]
    shop.v1.customers.create({"name": "one"})
    shop.v1.customers.create({"name": "two"})
    assert shop.simulator.drain()
    names = [event["data"]["object"]["name"] for event in receiver.events]
    assert names == ["one", "one", "one", "two"]
    status = shop.simulator.status()
    assert (status["delivered"], status["failed"], status["tries"]) == (2, 0, 4)


def test_a_delivery_given_up_can_be_found_and_sent_again(
    shop: Shop, receiver: WebhookReceiver
) -> None:
    listen(shop, receiver)
    receiver.answers = [500, 500, 500]
    lost = shop.v1.customers.create({"name": "lost"})
    assert shop.simulator.drain()
    assert shop.simulator.status()["failed"] == 1
    (found,) = shop.v1.events.list({"delivery_success": False}).data
    assert found.data.object["id"] == lost.id
    assert shop.simulator.redeliver() == 1
    shop.simulator.drain()
    assert shop.v1.events.list({"delivery_success": False}).data == []


def test_endpoints_are_changed_disabled_and_deleted(shop: Shop, receiver: WebhookReceiver) -> None:
    listen(shop, receiver)
    (endpoint,) = shop.v1.webhook_endpoints.list().data
    assert "secret" not in endpoint.to_dict()
    assert shop.v1.webhook_endpoints.update(endpoint.id, {"disabled": True}).status == "disabled"
    shop.v1.customers.create()
    shop.v1.webhook_endpoints.update(
        endpoint.id, {"disabled": False, "enabled_events": ["product.created"]}
    )
    shop.v1.customers.create()
    shop.v1.products.create({"name": "Pro"})
    assert shop.v1.webhook_endpoints.delete(endpoint.id).deleted
    shop.v1.products.create({"name": "More"})
    shop.simulator.drain()
    assert [event["data"]["object"]["name"] for event in receiver.events] == ["Pro"]


def test_several_threads_deliver_everything(receiver: WebhookReceiver) -> None:
    with StripeSimulator(delivery_threads=4) as simulator:
        client = StripeClient("sk_test_x", base_addresses={"api": simulator.base_url})
        listen(Shop(simulator, client), receiver)
        made = {client.v1.customers.create().id for _ in range(40)}
        assert simulator.drain()
    assert {event["data"]["object"]["id"] for event in receiver.events} == made


def test_an_account_outlives_its_process(tmp_path: Path, receiver: WebhookReceiver) -> None:
    file = tmp_path / "stripe.json"
    with StripeSimulator(keep_in=file, backoff=()) as simulator:
        client = StripeClient("sk_test_x", base_addresses={"api": simulator.base_url})
        shop = Shop(simulator, client)
        listen(shop, receiver, "customer.deleted", "invoice.paid")
        subscription = shop.subscribe(shop.customer(), shop.price())
        simulator.drain()
        receiver.answers = [503]
        spare = shop.v1.customers.create()
        shop.v1.customers.delete(spare.id)
        simulator.drain()
        log = simulator.event_log()
    with StripeSimulator(keep_in=file) as simulator:
        client = StripeClient("sk_test_x", base_addresses={"api": simulator.base_url})
        shop = Shop(simulator, client)
        simulator.drain()
        assert receiver.events[-1]["type"] == "customer.deleted"
        assert len(simulator.event_log().splitlines()) == len(log.splitlines())
        shop.go_to("2026-02-01T02:00")
        assert [i.status for i in shop.invoices(subscription)] == ["paid", "paid"]
        assert shop.v1.customers.retrieve(spare.id).deleted
