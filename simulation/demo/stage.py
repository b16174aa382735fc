"""The stage: every act of the story, done to the demo's Stripe account over HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from simulation.demo.account import StripeAccount
from simulation.demo.cast import Person
from simulation.demo.catalog import PRODUCTS, PROJECT, Price
from simulation.demo.plots import Scene

_DAY: Final = 86_400
_PRORATED: Final = {"proration_behavior": "create_prorations"}


@dataclass
class _Dealings:
    """What a person has at Stripe."""

    customer: str = ""
    subscription: str = ""
    items: dict[str, str] = field(default_factory=dict)  # item ids by the key of their price


class Stage:
    """Plays scenes; the prices must be published before the first."""

    def __init__(self, stripe: StripeAccount) -> None:
        self._stripe = stripe
        self._prices: dict[str, str] = {}
        self._dealings: dict[str, _Dealings] = {}

    def publish(self) -> None:
        """Bring the products and their prices into the account."""
        for product in PRODUCTS:
            made = self._stripe.post(
                "/v1/products", {"name": product.name, "metadata": product.metadata}
            )
            for price in product.prices:
                self._prices[price.key] = self._publish_price(made["id"], price)

    def play(self, person: Person, scene: Scene) -> None:
        """Do what a scene says, at the account's present time."""
        act = getattr(self, f"_{scene.act}")
        act(person, self._dealings.setdefault(person.user, _Dealings()), **scene.terms)

    def _publish_price(self, product: str, price: Price) -> str:
        made = self._stripe.post(
            "/v1/prices",
            {
                "product": product,
                "currency": "usd",
                "unit_amount": price.amount,
                "recurring": {"interval": price.interval, "interval_count": price.count},
                "nickname": price.key,
            },
        )
        identifier: str = made["id"]
        return identifier

    def _sign_up(self, person: Person, own: _Dealings, card: str | None = None) -> None:
        # Stripe keeps name and address; Folio keeps ids alone.
        made = self._stripe.post(
            "/v1/customers",
            {
                "name": person.name,
                "email": f"{person.user}@example.com",
                "metadata": {"folio_project": PROJECT, "folio_external_id": person.user},
            },
        )
        own.customer = made["id"]
        if card:
            self._use_card(person, own, card)

    def _use_card(self, person: Person, own: _Dealings, card: str) -> None:
        method = self._stripe.post(
            f"/v1/payment_methods/pm_card_{card}/attach", {"customer": own.customer}
        )
        chosen = {"invoice_settings": {"default_payment_method": method["id"]}}
        self._stripe.post(f"/v1/customers/{own.customer}", chosen)

    def _subscribe(
        self,
        person: Person,
        own: _Dealings,
        price: str,
        quantity: int = 1,
        trial_days: int = 0,
        without_card: str = "create_invoice",
    ) -> None:
        terms: dict[str, Any] = {
            "customer": own.customer,
            "items": [{"price": self._prices[price], "quantity": quantity}],
        }
        if trial_days:
            ending = {"end_behavior": {"missing_payment_method": without_card}}
            terms |= {"trial_period_days": trial_days, "trial_settings": ending}
        made = self._stripe.post("/v1/subscriptions", terms)
        own.subscription = made["id"]
        own.items = {price: made["items"]["data"][0]["id"]}

    def _change_price(self, person: Person, own: _Dealings, price: str) -> None:
        (item,) = own.items.values()
        change = {"id": item, "price": self._prices[price], "quantity": 1}
        self._change(own, {"items": [change], **_PRORATED})
        own.items = {price: item}

    def _change_quantity(self, person: Person, own: _Dealings, quantity: int) -> None:
        (item,) = own.items.values()
        self._change(own, {"items": [{"id": item, "quantity": quantity}], **_PRORATED})

    def _add_item(self, person: Person, own: _Dealings, price: str) -> None:
        changed = self._change(own, {"items": [{"price": self._prices[price]}], **_PRORATED})
        known = set(own.items.values())
        (own.items[price],) = {item["id"] for item in changed["items"]["data"]} - known

    def _remove_item(self, person: Person, own: _Dealings, price: str) -> None:
        gone = {"id": own.items.pop(price), "deleted": True}
        self._change(own, {"items": [gone], **_PRORATED})

    def _extend_trial(self, person: Person, own: _Dealings, days: int) -> None:
        present = self._stripe.get(f"/v1/subscriptions/{own.subscription}")
        self._change(own, {"trial_end": present["trial_end"] + days * _DAY})

    def _cancel_now(self, person: Person, own: _Dealings) -> None:
        self._stripe.delete(f"/v1/subscriptions/{own.subscription}")

    def _cancel_at_period_end(self, person: Person, own: _Dealings) -> None:
        self._change(own, {"cancel_at_period_end": True})

    def _keep(self, person: Person, own: _Dealings) -> None:
        self._change(own, {"cancel_at_period_end": False})

    def _pause(self, person: Person, own: _Dealings) -> None:
        self._stripe.post(f"/v1/subscriptions/{own.subscription}/pause", {"type": "subscription"})

    def _resume(self, person: Person, own: _Dealings) -> None:
        self._stripe.post(f"/v1/subscriptions/{own.subscription}/resume")

    def _suspend_billing(self, person: Person, own: _Dealings) -> None:
        self._change(own, {"pause_collection": {"behavior": "void"}})

    def _bill_again(self, person: Person, own: _Dealings) -> None:
        self._change(own, {"pause_collection": ""})

    def _write_off(self, person: Person, own: _Dealings) -> None:
        owed = {"customer": own.customer, "status": "open"}
        for invoice in self._stripe.get("/v1/invoices", owed)["data"]:
            self._stripe.post(f"/v1/invoices/{invoice['id']}/mark_uncollectible")

    def _change(self, own: _Dealings, terms: Mapping[str, Any]) -> dict[str, Any]:
        return self._stripe.post(f"/v1/subscriptions/{own.subscription}", terms)
