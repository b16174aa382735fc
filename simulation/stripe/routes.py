"""Every operation the simulator answers."""

from __future__ import annotations

from typing import Final

from simulation.stripe import (
    charges,
    clocks,
    customers,
    events,
    invoice_items,
    invoices,
    payment_methods,
    prices,
    products,
    subscription_items,
    subscriptions,
    webhook_endpoints,
)
from simulation.stripe.routing import RouteTable

NOUNS: Final = (
    customers,
    payment_methods,
    products,
    prices,
    subscriptions,
    subscription_items,
    invoices,
    invoice_items,
    charges,
    events,
    webhook_endpoints,
    clocks,
)

TABLE: Final = RouteTable(route for noun in NOUNS for route in noun.ROUTES)
