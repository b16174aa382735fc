"""A small shop on a Stripe simulator: the few things that every story here begins with."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
from stripe import Customer, Invoice, Price, StripeClient, Subscription

from ledger.clock import from_unix
from simulation.stripe.server import StripeSimulator


class Shop:
    """Products, customers with cards, subscriptions; and time."""

    def __init__(self, simulator: StripeSimulator, client: StripeClient) -> None:
        self.simulator = simulator
        self.v1 = client.v1

    def price(
        self, amount: int = 2000, interval: Any = "month", count: int = 1, currency: str = "usd"
    ) -> Price:
        product = self.v1.products.create({"name": f"Plan {amount}"})
        return self.v1.prices.create(
            {
                "product": product.id,
                "currency": currency,
                "unit_amount": amount,
                "recurring": {"interval": interval, "interval_count": count},
            }
        )

    def customer(self, card: str | None = "pm_card_visa", **params: Any) -> Customer:
        described: Any = {"email": "ada@example.com", **params}
        customer = self.v1.customers.create(described)
        if card is None:
            return customer
        method = self.v1.payment_methods.attach(card, {"customer": customer.id})
        return self.v1.customers.update(
            customer.id, {"invoice_settings": {"default_payment_method": method.id}}
        )

    def subscribe(
        self, customer: Customer, *prices: Price, quantity: int = 1, **params: Any
    ) -> Subscription:
        items = [{"price": price.id, "quantity": quantity} for price in prices]
        terms: Any = {"customer": customer.id, "items": items, **params}
        return self.v1.subscriptions.create(terms)

    def subscription(self, subscription: Subscription) -> Subscription:
        return self.v1.subscriptions.retrieve(subscription.id)

    def invoices(self, subscription: Subscription) -> list[Invoice]:
        """A subscription's invoices, the oldest first."""
        found = self.v1.invoices.list({"subscription": subscription.id, "limit": 100}).data
        return list(reversed(found))

    def events(self, kind: str | None = None) -> list[dict[str, Any]]:
        """Every event ever, or those of one type, the oldest first."""
        log = [msgspec.json.decode(line) for line in self.simulator.event_log().splitlines()]
        return [event for event in log if kind in (None, event["type"])]

    def event_types(self) -> list[str]:
        return [event["type"] for event in self.events()]

    def go_to(self, text: str) -> None:
        """Move the simulator's clock to an ISO instant of UTC."""
        self.simulator.advance(datetime.fromisoformat(f"{text}+00:00"))

    def replace_card(self, customer: Customer, card: str) -> None:
        method = self.v1.payment_methods.attach(card, {"customer": customer.id})
        self.v1.customers.update(
            customer.id, {"invoice_settings": {"default_payment_method": method.id}}
        )


def unix(text: str) -> int:
    """Seconds since 1970 of an ISO instant of UTC."""
    return int(datetime.fromisoformat(f"{text}+00:00").timestamp())


def day(seconds: int) -> str:
    """The date of an instant, for assertions that read like a calendar."""
    return from_unix(seconds).date().isoformat()


def periods(subscription: Subscription) -> list[tuple[str, str]]:
    return [
        (day(item.current_period_start), day(item.current_period_end))
        for item in subscription["items"].data
    ]
