"""Small payloads of our own making, in the shapes Stripe's objects had before and after 2025."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from ledger.facts import Fact, ProviderAccount
from providers.stripe.normalise import normalise

Json = dict[str, object]

ACCOUNT = ProviderAccount("stripe", "acct_1", livemode=False)
START = 1_763_640_000
END = START + 30 * 86_400
SEEN_AT = datetime.fromtimestamp(START + 60, UTC)


def event(name: str, content: Mapping[str, object]) -> Json:
    return {
        "id": "evt_1",
        "object": "event",
        "type": name,
        "created": START + 60,
        "livemode": False,
        "data": {"object": content},
    }


def facts(name: str, content: Mapping[str, object]) -> tuple[Fact, ...]:
    read = normalise(event(name, content), ACCOUNT)
    assert isinstance(read, tuple), read
    return read


PRODUCT: Json = {
    "id": "prod_1",
    "object": "product",
    "name": "Pro",
    "active": True,
    "metadata": {
        "folio_project": "acme",
        "folio_plan": "pro",
        "folio_grace_days": "7",
        "folio_leeway_hours": "48",
        "folio_feature_seats": "5",
        "folio_feature_api": "true",
        "color": "red",
    },
}

PRICE: Json = {
    "id": "price_1",
    "object": "price",
    "product": "prod_1",
    "active": True,
    "currency": "usd",
    "unit_amount": 2000,
    "unit_amount_decimal": "2000",
    "billing_scheme": "per_unit",
    "type": "recurring",
    "recurring": {"interval": "month", "interval_count": 3, "usage_type": "licensed"},
}

PLAN: Json = {
    "id": "price_1",
    "object": "plan",
    "product": "prod_1",
    "active": True,
    "currency": "usd",
    "amount": 2000,
    "billing_scheme": "per_unit",
    "interval": "month",
    "interval_count": 3,
    "usage_type": "licensed",
}

SUBSCRIPTION: Json = {
    "id": "sub_1",
    "object": "subscription",
    "customer": "cus_1",
    "status": "active",
    "start_date": START,
    "created": START,
    "trial_end": None,
    "cancel_at": None,
    "cancel_at_period_end": False,
    "ended_at": None,
    "pause_collection": None,
}


def subscription(items: list[Json], **changes: object) -> Json:
    listed = {"object": "list", "data": items, "has_more": False}
    return {**SUBSCRIPTION, "items": listed, **changes}


PERIOD: Json = {"current_period_start": START, "current_period_end": END}
NEW_ITEM: Json = {"id": "si_1", "price": PRICE, "quantity": 2, **PERIOD}
NEW_SUBSCRIPTION = subscription([NEW_ITEM], cancellation_details={"reason": None})
OLD_ITEM: Json = {"id": "si_1", "plan": PLAN, "quantity": 2}
OLD_SUBSCRIPTION = subscription([OLD_ITEM], plan=PLAN, quantity=2, **PERIOD)

_INVOICE: Json = {
    "id": "in_1",
    "object": "invoice",
    "customer": "cus_1",
    "currency": "usd",
    "status": "paid",
    "number": "A-1",
    "total": 4400,
    "amount_due": 4400,
    "amount_paid": 4400,
    "attempt_count": 1,
    "next_payment_attempt": None,
    "status_transitions": {
        "finalized_at": START,
        "paid_at": START + 30,
        "voided_at": None,
        "marked_uncollectible_at": None,
    },
}
_SPAN: Json = {"start": START, "end": END}


def _lines(line: Json) -> Json:
    whole = {"id": "il_1", "object": "line_item", "amount": 4000, "currency": "usd", "quantity": 2}
    return {"object": "list", "data": [{**whole, "period": _SPAN, **line}], "has_more": False}


NEW_INVOICE: Json = {
    **_INVOICE,
    "parent": {
        "type": "subscription_details",
        "subscription_details": {"subscription": "sub_1", "metadata": {}},
    },
    "total_taxes": [{"amount": 300}, {"amount": 100}],
    "lines": _lines(
        {
            "pricing": {
                "type": "price_details",
                "price_details": {"price": "price_1", "product": "prod_1"},
                "unit_amount_decimal": "2000",
            },
            "parent": {
                "type": "subscription_item_details",
                "subscription_item_details": {"proration": False, "subscription": "sub_1"},
                "invoice_item_details": None,
            },
            "taxes": [{"amount": 400}],
        }
    ),
    "payments": {
        "object": "list",
        "data": [
            {
                "id": "inpay_1",
                "object": "invoice_payment",
                "invoice": "in_1",
                "currency": "usd",
                "status": "paid",
                "amount_paid": 4400,
                "payment": {"type": "payment_intent", "payment_intent": "pi_1"},
            }
        ],
        "has_more": False,
    },
}

OLD_INVOICE: Json = {
    **_INVOICE,
    "subscription": "sub_1",
    "charge": "ch_1",
    "payment_intent": "pi_1",
    "paid": True,
    "tax": 400,
    "total_tax_amounts": [{"amount": 300}, {"amount": 100}],
    "lines": _lines({"price": PRICE, "plan": PLAN, "proration": False, "type": "subscription"}),
}

CHARGE: Json = {
    "id": "ch_1",
    "object": "charge",
    "customer": "cus_1",
    "payment_intent": "pi_1",
    "currency": "usd",
    "amount": 4400,
    "amount_captured": 4400,
    "captured": True,
    "paid": True,
    "status": "succeeded",
    "failure_code": None,
}

INTENT: Json = {
    "id": "pi_1",
    "object": "payment_intent",
    "customer": "cus_1",
    "currency": "usd",
    "amount": 4400,
    "amount_received": 4400,
    "status": "succeeded",
    "latest_charge": "ch_1",
    "last_payment_error": None,
}

CHECKOUT: Json = {
    "id": "cs_1",
    "object": "checkout.session",
    "customer": "cus_1",
    "client_reference_id": "user-7",
    "subscription": "sub_1",
    "payment_status": "paid",
    "metadata": {},
}
