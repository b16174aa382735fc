"""Signed Stripe messages for the benchmarks: a customer, what it can buy, and its purchase."""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from datetime import UTC, datetime, timedelta
from typing import Any, Final

SECRET: Final = "whsec_bench"
Json = dict[str, Any]


def event(kind: str, content: Json) -> bytes:
    now = int(datetime.now(UTC).timestamp())
    return json.dumps(
        {
            "id": f"evt_{secrets.token_hex(12)}",
            "object": "event",
            "api_version": "2026-10-28.endive",
            "created": now,
            "livemode": False,
            "type": kind,
            "pending_webhooks": 1,
            "request": {"id": None, "idempotency_key": None},
            "data": {"object": content},
        }
    ).encode()


def sign(payload: bytes) -> str:
    stamp = int(datetime.now(UTC).timestamp())
    signed = f"{stamp}.".encode() + payload
    return f"t={stamp},v1={hmac.new(SECRET.encode(), signed, hashlib.sha256).hexdigest()}"


def request(payload: bytes) -> bytes:
    return (
        f"POST /api/v1/webhooks/stripe HTTP/1.1\r\nHost: bench\r\nStripe-Signature: "
        f"{sign(payload)}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(payload)}\r\n\r\n"
    ).encode() + payload


def price() -> Json:
    return {
        "id": "price_1",
        "object": "price",
        "active": True,
        "billing_scheme": "per_unit",
        "currency": "usd",
        "unit_amount": 1000,
        "product": "prod_1",
        "type": "recurring",
        "recurring": {"interval": "month", "interval_count": 1, "usage_type": "licensed"},
        "metadata": {},
    }


def agreement(buyer: str, now: datetime) -> Json:
    start, end = int(now.timestamp()), int((now + timedelta(days=30)).timestamp())
    item = {
        "id": f"si_{buyer}",
        "object": "subscription_item",
        "quantity": 1,
        "price": price(),
        "current_period_start": start,
        "current_period_end": end,
    }
    return {
        "id": f"sub_{buyer}",
        "object": "subscription",
        "customer": buyer,
        "status": "active",
        "items": {"object": "list", "data": [item], "has_more": False},
        "created": start,
        "start_date": start,
        "trial_end": None,
        "cancel_at": None,
        "cancel_at_period_end": False,
        "canceled_at": None,
        "ended_at": None,
        "pause_collection": None,
        "metadata": {},
    }
