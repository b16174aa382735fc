"""The contract read from the installed SDK: it has teeth, and it agrees with Stripe's examples."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
import stripe

from simulation.stripe.routes import NOUNS
from simulation.stripe.routing import Route
from simulation.stripe.schema import UnknownShape, installed_contract
from simulation.stripe.validation import ContractBreach, validate
from tests.simulation.shop import Shop

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT.parent / "shared" / "stripe_payloads" / "objects"
DISAGREEING = {
    "billing_portal.configuration": "a field newer than the examples is required",
    "dispute": "a field newer than the examples is required",
    "subscription_schedule": "a field newer than the examples is required",
    "invoice": "the example carries a stray field",
}
ROUTES = [route for noun in NOUNS for route in noun.ROUTES]


def faults(kind: str, value: Any) -> list[str]:
    return [str(fault) for fault in installed_contract().record(kind).faults(value, "")]


def test_the_contract_is_the_pinned_version() -> None:
    assert installed_contract().api_version == stripe.api_version == "2026-10-28.endive"


def test_an_object_the_sdk_does_not_know_has_no_shape() -> None:
    with pytest.raises(UnknownShape):
        installed_contract().record("unicorn")


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_what_an_operation_takes_is_declared_by_the_sdk(route: Route) -> None:
    declared = installed_contract().parameters(route.params).fields
    assert {name.partition("[")[0] for name in route.takes.split()} <= set(declared)


@pytest.mark.skipif(not EXAMPLES.is_dir(), reason="the recorded Stripe objects are not here")
def test_stripes_own_examples_fit() -> None:
    examples = sorted(EXAMPLES.glob("*.json"))
    assert len(examples) == 40
    wrong = set()
    for file in examples:
        kind = file.stem.partition("__")[2]
        if faults(kind, msgspec.json.decode(file.read_bytes())):
            wrong.add(kind)
    assert wrong == set(DISAGREEING)


@pytest.mark.parametrize(
    ("path", "value", "problem"),
    [
        ("invented", 1, "invented: Subscription has no such field"),
        ("status", "asleep", "status: 'asleep' is none of the 8 known"),
        ("created", "today", "created: 'today' is not a integer"),
        ("livemode", 0, "livemode: 0 is not a boolean"),
        ("discounts", None, "discounts: NoneType is not an array"),
        ("customer", 7, "customer: int is not a Customer"),
        ("metadata", {"a": 1}, "metadata.a: 1 is not a string"),
        ("items", {"object": "list"}, "items: a list object has other fields"),
        ("id", ..., "id: Subscription requires it"),
    ],
)
def test_what_does_not_fit_is_found(shop: Shop, path: str, value: Any, problem: str) -> None:
    subscription = shop.subscribe(shop.customer(), shop.price()).to_dict(for_json=True)
    assert faults("subscription", subscription) == []
    if value is ...:
        del subscription[path]
    else:
        subscription[path] = value
    assert faults("subscription", subscription)[0].startswith(problem)


def test_a_fault_deep_inside_is_named_by_its_place(shop: Shop) -> None:
    subscription = shop.subscribe(shop.customer(), shop.price()).to_dict(for_json=True)
    subscription["items"]["data"][0]["price"]["recurring"]["interval"] = "moon"
    with pytest.raises(ContractBreach, match=r"items\.data\[0\]\.price\.recurring\.interval"):
        validate(subscription)


def test_a_deleted_object_is_a_stub() -> None:
    assert faults("customer", {"id": "cus_1", "object": "customer", "deleted": True}) == []
    assert faults("customer", {"object": "customer", "deleted": True}) != []
    extra = {"id": "cus_1", "object": "customer", "deleted": True, "why": ""}
    assert faults("customer", extra) == ["why: Customer has no such field"]


def test_every_event_ever_told_fits(shop: Shop) -> None:
    customer = shop.customer()
    subscription = shop.subscribe(customer, shop.price(), trial_period_days=5)
    shop.go_to("2026-03-01T02:00")
    shop.v1.subscriptions.cancel(subscription.id)
    shop.v1.customers.delete(customer.id)
    for event in shop.events():
        validate(event)
        validate(event["data"]["object"])
