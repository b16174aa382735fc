"""Signed Stripe messages of our own making, small and in the present shape."""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import datetime
from typing import Any

SECRET = "whsec_test_secret"
Object = dict[str, Any]


def sign(payload: bytes, now: datetime, secret: str = SECRET) -> str:
    """The Stripe-Signature header for these bytes."""
    stamp = int(now.timestamp())
    digest = hmac.new(secret.encode(), f"{stamp}.".encode() + payload, hashlib.sha256)
    return f"t={stamp},v1={digest.hexdigest()}"


def event(
    kind: str, content: Object, created: datetime, name: str = "", *, livemode: bool = False
) -> bytes:
    """The bytes of an event about an object; its id follows from type, object and time."""
    seconds = int(created.timestamp())
    message = {
        "id": name or f"evt_{kind.replace('.', '_')}_{content.get('id')}_{seconds}",
        "object": "event",
        "api_version": "2026-10-28.endive",
        "created": seconds,
        "livemode": livemode,
        "type": kind,
        "pending_webhooks": 1,
        "request": {"id": None, "idempotency_key": None},
        "data": {"object": content},
    }
    return json.dumps(message).encode()


def customer(name: str = "cus_1", **fields: Any) -> Object:
    return {"id": name, "object": "customer", "metadata": {}, "livemode": False, **fields}


def product(name: str = "prod_basic", **fields: Any) -> Object:
    features = {"folio_plan": "basic", "folio_feature_export": "true", "folio_feature_seats": "5"}
    return {
        "id": name,
        "object": "product",
        "name": "Basic",
        "active": True,
        "metadata": features,
        **fields,
    }


def price(name: str = "price_basic", product_name: str = "prod_basic") -> Object:
    return {
        "id": name,
        "object": "price",
        "active": True,
        "billing_scheme": "per_unit",
        "currency": "usd",
        "unit_amount": 1000,
        "product": product_name,
        "recurring": {"interval": "month", "interval_count": 1, "usage_type": "licensed"},
        "type": "recurring",
        "metadata": {},
    }


def subscription(start: datetime, end: datetime, name: str = "sub_1", **fields: Any) -> Object:
    item = {
        "id": f"si_{name}",
        "object": "subscription_item",
        "quantity": 1,
        "price": price(),
        "current_period_start": int(start.timestamp()),
        "current_period_end": int(end.timestamp()),
    }
    return {
        "id": name,
        "object": "subscription",
        "customer": "cus_1",
        "status": "active",
        "items": {"object": "list", "data": [item], "has_more": False},
        "created": int(start.timestamp()),
        "start_date": int(start.timestamp()),
        "trial_end": None,
        "cancel_at": None,
        "cancel_at_period_end": False,
        "canceled_at": None,
        "ended_at": None,
        "pause_collection": None,
        "metadata": {},
        **fields,
    }


def invoice(issued: datetime, name: str = "in_1", **fields: Any) -> Object:
    return {
        "id": name,
        "object": "invoice",
        "customer": "cus_1",
        "status": "open",
        "number": "F-1",
        "currency": "usd",
        "total": 1000,
        "amount_paid": 0,
        "amount_due": 1000,
        "attempt_count": 0,
        "lines": {"object": "list", "data": [], "has_more": False},
        "parent": None,
        "status_transitions": {"finalized_at": int(issued.timestamp())},
        "total_taxes": [],
        **fields,
    }


def invoice_payment(name: str = "inpay_1", **fields: Any) -> Object:
    return {
        "id": name,
        "object": "invoice_payment",
        "invoice": "in_1",
        "amount_paid": 1000,
        "currency": "usd",
        "status": "paid",
        "payment": {"type": "payment_intent", "payment_intent": "pi_1"},
        **fields,
    }
