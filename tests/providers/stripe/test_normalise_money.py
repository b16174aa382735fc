"""Invoices, allocations and payments in every shape they have had."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from ledger.events.invoice import InvoiceLine
from ledger.facts import AllocationFact, InvoiceFact, PaymentFact
from ledger.money import Money
from ledger.period import Period
from providers.port import UNMAPPED, Ignored, NeedsFetch, UnknownShape
from providers.stripe.normalise import normalise
from tests.providers.stripe.shapes import (
    ACCOUNT,
    CHARGE,
    END,
    INTENT,
    NEW_INVOICE,
    OLD_INVOICE,
    SEEN_AT,
    START,
    Json,
    event,
    facts,
)


def moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


PAID = InvoiceFact(
    account=ACCOUNT,
    provider_id="in_1",
    observed_at=SEEN_AT,
    source="evt_1",
    customer="cus_1",
    subscription="sub_1",
    status="paid",
    number="A-1",
    total=Money(4400, "usd"),
    tax=Money(400, "usd"),
    paid=Money(4400, "usd"),
    lines=(
        InvoiceLine(
            provider_id="il_1",
            price_provider_id="price_1",
            quantity=2,
            amount=Money(4000, "usd"),
            period=Period(moment(START), moment(END)),
            proration=False,
        ),
    ),
    issued_at=moment(START),
    settled_at=moment(START + 30),
    voided_at=None,
    uncollectible_at=None,
    failed_attempt=None,
    next_attempt_at=None,
)
ALLOCATED = AllocationFact(
    account=ACCOUNT,
    provider_id="in_1:pi_1",
    observed_at=SEEN_AT,
    source="evt_1",
    invoice="in_1",
    payment="pi_1",
    amount=Money(4400, "usd"),
)


def invoice(content: Json, name: str = "invoice.paid") -> InvoiceFact:
    fact = facts(name, content)[0]
    assert isinstance(fact, InvoiceFact)
    return fact


@pytest.mark.parametrize(
    "content",
    [
        NEW_INVOICE,
        OLD_INVOICE,
        {**OLD_INVOICE, "tax": None},
        {**OLD_INVOICE, "status": None},
        {**OLD_INVOICE, "payment_intent": {"id": "pi_1"}, "charge": {"id": "ch_1"}},
        {**OLD_INVOICE, "amount_paid": None},
    ],
    ids=["new", "old", "taxes only listed", "paid flag only", "expanded", "no amount_paid"],
)
def test_the_same_invoice_gives_the_same_facts(content: Json) -> None:
    assert facts("invoice.paid", content) == (PAID, ALLOCATED)


def test_an_allocation_is_the_same_from_every_message_that_tells_of_it() -> None:
    payment = {
        "id": "inpay_1",
        "object": "invoice_payment",
        "invoice": "in_1",
        "currency": "usd",
        "status": "paid",
        "amount_paid": 4400,
        "payment": {"type": "payment_intent", "payment_intent": "pi_1"},
    }
    assert facts("invoice_payment.paid", payment) == (ALLOCATED,)


def test_a_new_invoice_without_its_payments_tells_of_none() -> None:
    assert facts("invoice.paid", {**NEW_INVOICE, "payments": None}) == (PAID,)


def test_a_payment_without_an_intent_is_its_charge() -> None:
    old = {**OLD_INVOICE, "payment_intent": None}
    assert facts("invoice.paid", old)[1] == replace(
        ALLOCATED, provider_id="in_1:ch_1", payment="ch_1"
    )


@pytest.mark.parametrize("change", [{"status": "open", "paid": False}, {"amount_paid": 0}])
def test_nothing_paid_is_nothing_allocated(change: Json) -> None:
    assert len(facts("invoice.updated", {**OLD_INVOICE, **change})) == 1


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("invoice.created", {**NEW_INVOICE, "status": "draft"}, "draft"),
        ("invoice.updated", {**NEW_INVOICE, "status": "draft"}, "draft"),
        ("invoice.upcoming", {"object": "invoice"}, "a preview"),
        ("invoice.deleted", {"object": "invoice", "id": "in_1"}, "a deleted draft"),
        (
            "invoice_payment.paid",
            {
                "invoice": "in_1",
                "payment": {"type": "payment_record", "payment_record": "pr_1"},
                "currency": "usd",
                "amount_paid": 1,
            },
            "paid outside of the provider",
        ),
    ],
)
def test_what_is_no_history_is_ignored_with_a_reason(name: str, content: Json, reason: str) -> None:
    assert normalise(event(name, content), ACCOUNT) == Ignored(reason)


@pytest.mark.parametrize(
    "name",
    [
        "finalized",
        "paid",
        "payment_succeeded",
        "payment_action_required",
        "voided",
        "marked_uncollectible",
        "updated",
        "sent",
        "overdue",
        "will_be_due",
        "overpaid",
        "something_new",
    ],
)
def test_every_occasion_carries_the_whole(name: str) -> None:
    assert facts(f"invoice.{name}", NEW_INVOICE) == (PAID, ALLOCATED)


def test_a_failed_collection_counts_its_tries() -> None:
    open_ = {
        **NEW_INVOICE,
        "status": "open",
        "payments": None,
        "attempt_count": 2,
        "next_payment_attempt": END,
    }
    failed = invoice(open_, "invoice.payment_failed")
    assert (failed.failed_attempt, failed.next_attempt_at) == (2, moment(END))
    assert invoice(open_, "invoice.updated").failed_attempt is None
    assert invoice({**open_, "attempt_count": 0}, "invoice.payment_failed").failed_attempt == 1


def test_the_ends_of_an_invoice_have_their_times() -> None:
    transitions = {"finalized_at": START, "voided_at": START + 1, "marked_uncollectible_at": START}
    fact = invoice({**NEW_INVOICE, "status": "void", "status_transitions": transitions})
    assert (fact.status, fact.voided_at) == ("void", moment(START + 1))
    assert (fact.uncollectible_at, fact.settled_at) == (moment(START), None)


def test_a_forgiven_invoice_of_before_2018_is_uncollectible() -> None:
    old = {**OLD_INVOICE, "status": None, "paid": False, "forgiven": True, "amount_paid": None}
    assert (invoice(old).status, invoice(old).paid) == ("uncollectible", Money(0, "usd"))


def test_an_invoice_without_a_subscription() -> None:
    bare = {**NEW_INVOICE, "parent": None, "number": None, "total_taxes": None}
    fact = invoice(bare)
    assert (fact.subscription, fact.number, fact.tax) == (None, None, Money(0, "usd"))


def line(change: Json) -> InvoiceLine:
    whole = {"id": "il_1", "amount": 100, "period": {"start": START, "end": END}}
    (read,) = invoice({**NEW_INVOICE, "lines": {"data": [{**whole, **change}]}}).lines
    return read


def test_a_lines_instant_is_no_period() -> None:
    assert line({"period": {"start": START, "end": START}}).period is None
    assert line({"period": None}).period is None


@pytest.mark.parametrize(
    "change",
    [
        {"proration": True},
        {"parent": {"invoice_item_details": {"proration": True}}},
        {"parent": {"subscription_item_details": {"proration": True}}},
    ],
)
def test_a_proration_in_each_shape(change: Json) -> None:
    assert line(change).proration


@pytest.mark.parametrize(
    "change",
    [
        {"price": "price_1"},
        {"price": {"id": "price_1"}},
        {"price": None, "plan": {"id": "price_1"}},
        {"pricing": {"price_details": {"price": "price_1"}}},
        {"pricing": {"price_details": {"price": {"id": "price_1"}}}},
    ],
)
def test_a_lines_price_in_each_shape(change: Json) -> None:
    assert line(change).price_provider_id == "price_1"


def test_a_credit_line_of_no_price() -> None:
    credit = line({"amount": -100})
    assert (credit.amount, credit.price_provider_id) == (Money(-100, "usd"), None)
    assert (credit.quantity, credit.proration) == (None, False)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"status": "deleted"}, "data.object.status"),
        ({"status": None}, "data.object.status"),
        ({"customer": None}, "data.object.customer"),
        ({"customer": None, "customer_account": "acct_9"}, "data.object.customer"),
        ({"currency": "$"}, "currency"),
        ({"total": None}, "data.object.total"),
        ({"total": 44.0}, "data.object.total"),
        ({"total": True}, "data.object.total"),
        ({"total": "4400"}, "data.object.total"),
        ({"total": 10**15 + 1}, "amount"),
        ({"total_taxes": [{"amount": None}]}, "data.object.total_taxes[0].amount"),
        ({"lines": None}, "data.object.lines"),
        ({"lines": {"data": [{"id": "il_1"}]}}, "data.object.lines.data[0].amount"),
        ({"parent": "sub_1"}, "data.object.parent"),
        ({"payments": {"data": [{}]}}, "data.object.payments.data[0].status"),
    ],
)
def test_an_invoice_that_does_not_read(change: Json, field: str) -> None:
    with pytest.raises(UnknownShape) as refused:
        facts("invoice.paid", {**NEW_INVOICE, **change})
    assert refused.value.field == field


def test_lines_that_are_cut_short_must_be_fetched() -> None:
    with pytest.raises(NeedsFetch) as refused:
        invoice({**NEW_INVOICE, "lines": {"data": [], "has_more": True}})
    assert (refused.value.kind, refused.value.provider_id) == ("invoice", "in_1")


SUCCEEDED = PaymentFact(
    account=ACCOUNT,
    provider_id="pi_1",
    observed_at=SEEN_AT,
    source="evt_1",
    customer="cus_1",
    amount=Money(4400, "usd"),
    succeeded=True,
    attempt="ch_1",
    failure=None,
    invoice=None,
)
FAILED = replace(SUCCEEDED, succeeded=False, failure="card_declined")
FAILED_CHARGE: Json = {
    **CHARGE,
    "status": "failed",
    "paid": False,
    "captured": False,
    "amount_captured": 0,
    "failure_code": "card_declined",
}
FAILED_INTENT: Json = {
    **INTENT,
    "status": "requires_payment_method",
    "amount_received": 0,
    "last_payment_error": {
        "code": "card_declined",
        "decline_code": "insufficient_funds",
        "charge": "ch_1",
    },
}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("charge.succeeded", CHARGE),
        ("charge.succeeded", {**CHARGE, "payment_intent": {"id": "pi_1"}}),
        ("charge.succeeded", {**CHARGE, "status": None}),
        ("charge.succeeded", {**CHARGE, "amount_captured": None}),
        ("payment_intent.succeeded", INTENT),
        ("payment_intent.succeeded", {**INTENT, "latest_charge": {"id": "ch_1"}}),
        (
            "payment_intent.succeeded",
            {**INTENT, "latest_charge": None, "charges": {"data": [{"id": "ch_1"}, {"id": "c0"}]}},
        ),
        ("payment_intent.succeeded", {**INTENT, "last_payment_error": {"code": "earlier"}}),
    ],
)
def test_one_payment_is_the_same_from_both_sides(name: str, content: Json) -> None:
    assert facts(name, content) == (SUCCEEDED,)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("charge.failed", FAILED_CHARGE),
        ("payment_intent.payment_failed", FAILED_INTENT),
        ("payment_intent.payment_failed", {**FAILED_INTENT, "latest_charge": None}),
    ],
)
def test_one_failure_is_the_same_from_both_sides(name: str, content: Json) -> None:
    assert facts(name, content) == (FAILED,)


def test_older_payments_name_their_invoice() -> None:
    for name, content in (("charge.succeeded", CHARGE), ("payment_intent.succeeded", INTENT)):
        assert facts(name, {**content, "invoice": "in_1"}) == (replace(SUCCEEDED, invoice="in_1"),)


def test_a_charge_without_an_intent_is_the_payment_itself() -> None:
    (fact,) = facts("charge.succeeded", {**CHARGE, "payment_intent": None})
    assert fact == replace(SUCCEEDED, provider_id="ch_1")


@pytest.mark.parametrize("change", [{"captured": False}, {"status": "pending"}])
def test_an_outcome_that_is_open(change: Json) -> None:
    (fact,) = facts("charge.succeeded", {**CHARGE, **change})
    assert isinstance(fact, PaymentFact)
    assert fact.succeeded is None


def test_a_part_that_was_captured_is_what_was_paid() -> None:
    (charge,) = facts("charge.succeeded", {**CHARGE, "amount_captured": 1000})
    (intent,) = facts("payment_intent.succeeded", {**INTENT, "amount_received": 1000})
    assert charge == intent == replace(SUCCEEDED, amount=Money(1000, "usd"))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("payment_intent.succeeded", {**INTENT, "status": "requires_payment_method"}),
        ("payment_intent.succeeded", {**INTENT, "customer": None}),
        ("payment_intent.succeeded", {**INTENT, "status": None}),
        ("charge.succeeded", {**CHARGE, "customer": None}),
        ("charge.succeeded", {**CHARGE, "status": "maybe"}),
        ("charge.succeeded", {**CHARGE, "amount": "1", "amount_captured": None}),
        ("charge.succeeded", {**CHARGE, "id": None}),
        ("invoice_payment.paid", {"payment": {"type": "barter"}}),
        ("invoice_payment.paid", {"payment": None}),
    ],
)
def test_a_payment_that_does_not_read(name: str, content: Json) -> None:
    with pytest.raises(UnknownShape):
        facts(name, content)


@pytest.mark.parametrize(
    "name",
    [
        "payout.paid",
        "charge.refunded",
        "charge.dispute.created",
        "payment_intent.created",
        "customer.source.created",
        "customer.tax_id.created",
        "customer.discount.created",
        "checkout.session.expired",
        "invoiceitem.created",
        "invoice.payment.something",
        "nonsense",
    ],
)
def test_what_we_do_not_read_is_unmapped(name: str) -> None:
    assert normalise(event(name, {}), ACCOUNT) is UNMAPPED


def test_a_thin_message_is_unmapped() -> None:
    thin: Json = {"id": "evt_1", "object": "v2.core.event", "type": "v1.invoice.paid"}
    assert normalise(thin, ACCOUNT) is UNMAPPED
