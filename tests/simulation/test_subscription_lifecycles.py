"""Lives of subscriptions, told through the real SDK and a virtual clock."""

from __future__ import annotations

import pytest
from stripe import CardError, InvalidRequestError

from simulation.stripe.server import StripeSimulator
from tests.simulation.shop import Shop, day, periods, unix


def test_a_paid_first_month_makes_a_subscription_active(shop: Shop) -> None:
    subscription = shop.subscribe(
        shop.customer(), shop.price(), expand=["latest_invoice.payments.data.payment"]
    )
    assert subscription.status == "active"
    assert periods(subscription) == [("2026-01-01", "2026-02-01")]
    invoice = subscription.latest_invoice
    assert not isinstance(invoice, str)
    assert invoice is not None
    assert (invoice.status, invoice.amount_paid, invoice.billing_reason) == (
        "paid",
        2000,
        "subscription_create",
    )
    assert invoice.payments is not None
    assert [payment.status for payment in invoice.payments.data] == ["paid"]
    created = shop.events("customer.subscription.created")[0]
    assert created["data"]["object"]["status"] == "incomplete"


def test_a_renewal_is_drafted_at_the_boundary_and_collected_an_hour_later(shop: Shop) -> None:
    subscription = shop.subscribe(shop.customer(), shop.price())
    shop.go_to("2026-02-01T00:30")
    first, second = shop.invoices(subscription)
    assert (second.status, second.billing_reason) == ("draft", "subscription_cycle")
    assert (day(second.period_start), day(second.period_end)) == ("2026-01-01", "2026-02-01")
    assert periods(shop.subscription(subscription)) == [("2026-02-01", "2026-03-01")]
    shop.go_to("2026-02-01T01:00")
    assert shop.v1.invoices.retrieve(second.id).status == "paid"
    assert first.id != second.id


@pytest.mark.parametrize(
    ("start", "interval", "count", "ends"),
    [
        ("2026-01-31", "month", 1, ["2026-02-28", "2026-03-31", "2026-04-30", "2026-05-31"]),
        ("2028-01-30", "month", 1, ["2028-02-29", "2028-03-30", "2028-04-30", "2028-05-30"]),
        ("2025-11-30", "month", 3, ["2026-02-28", "2026-05-30", "2026-08-30", "2026-11-30"]),
        ("2026-08-31", "month", 6, ["2027-02-28", "2027-08-31", "2028-02-29", "2028-08-31"]),
        ("2024-02-29", "year", 1, ["2025-02-28", "2026-02-28", "2027-02-28", "2028-02-29"]),
        ("2026-12-31", "week", 2, ["2027-01-14", "2027-01-28", "2027-02-11", "2027-02-25"]),
        ("2026-01-01", "day", 10, ["2026-01-11", "2026-01-21", "2026-01-31", "2026-02-10"]),
    ],
)
def test_periods_hang_on_the_anchor_and_never_drift(
    shop: Shop, start: str, interval: str, count: int, ends: list[str]
) -> None:
    clock = shop.v1.test_helpers.test_clocks.create({"frozen_time": unix(start)})
    customer = shop.customer(test_clock=clock.id)
    subscription = shop.subscribe(customer, shop.price(500, interval, count))
    seen = [periods(subscription)[0][1]]
    while len(seen) < len(ends):
        at = subscription["items"].data[0].current_period_end
        shop.v1.test_helpers.test_clocks.advance(clock.id, {"frozen_time": at})
        subscription = shop.subscription(subscription)
        assert periods(subscription)[0][0] == seen[-1]
        seen.append(periods(subscription)[0][1])
    assert seen == ends


def test_a_trial_is_announced_then_paid_then_active(shop: Shop) -> None:
    subscription = shop.subscribe(shop.customer(), shop.price(), trial_period_days=14)
    assert subscription.status == "trialing"
    assert [(i.status, i.total) for i in shop.invoices(subscription)] == [("paid", 0)]
    shop.go_to("2026-01-12T00:00")
    assert "customer.subscription.trial_will_end" in shop.event_types()
    shop.go_to("2026-01-15T02:00")
    after = shop.subscription(subscription)
    assert after.status == "active"
    assert periods(after) == [("2026-01-15", "2026-02-15")]
    assert [i.total for i in shop.invoices(subscription)] == [0, 2000]


def test_a_trial_of_three_days_or_less_is_announced_at_once(shop: Shop) -> None:
    shop.subscribe(shop.customer(), shop.price(), trial_period_days=2)
    assert shop.event_types().count("customer.subscription.trial_will_end") == 1


@pytest.mark.parametrize(
    ("agreed", "status"),
    [("cancel", "canceled"), ("pause", "paused"), ("create_invoice", "past_due")],
)
def test_a_trial_that_ends_without_a_card_does_what_was_agreed(
    shop: Shop, agreed: str, status: str
) -> None:
    subscription = shop.subscribe(
        shop.customer(card=None),
        shop.price(),
        trial_period_days=7,
        trial_settings={"end_behavior": {"missing_payment_method": agreed}},
    )
    shop.go_to("2026-01-08T02:00")
    after = shop.subscription(subscription)
    assert after.status == status
    if status == "paused":
        assert after.status_details is not None
        cause = after.status_details.paused.subscription.type
        assert cause == "trial_end_without_payment_method"
        assert "customer.subscription.paused" in shop.event_types()


def test_a_trial_ended_now_is_billed_now(shop: Shop) -> None:
    subscription = shop.subscribe(shop.customer(), shop.price(), trial_period_days=30)
    shop.go_to("2026-01-10T12:00")
    ended = shop.v1.subscriptions.update(subscription.id, {"trial_end": "now"})
    assert ended.status == "active"
    assert periods(ended) == [("2026-01-10", "2026-02-10")]
    assert [i.total for i in shop.invoices(subscription)] == [0, 2000]


def test_a_trial_can_be_made_longer(shop: Shop) -> None:
    subscription = shop.subscribe(shop.customer(), shop.price(), trial_period_days=7)
    longer = shop.v1.subscriptions.update(subscription.id, {"trial_end": unix("2026-02-01")})
    assert (longer.status, periods(longer)) == ("trialing", [("2026-01-01", "2026-02-01")])
    shop.go_to("2026-02-01T00:00")
    assert shop.subscription(subscription).status == "active"


def test_a_failed_renewal_is_retried_and_recovers_with_a_new_card(shop: Shop) -> None:
    customer = shop.customer()
    subscription = shop.subscribe(customer, shop.price())
    shop.replace_card(customer, "pm_card_chargeCustomerFail")
    shop.go_to("2026-02-01T02:00")
    assert shop.subscription(subscription).status == "past_due"
    assert shop.v1.customers.retrieve(customer.id).delinquent is True
    unpaid = shop.invoices(subscription)[-1]
    assert (unpaid.status, unpaid.attempt_count) == ("open", 1)
    assert unpaid.next_payment_attempt == unix("2026-02-04T01:00")
    failed = shop.events("invoice.payment_failed")[0]
    assert failed["data"]["object"]["attempt_count"] == 1
    shop.replace_card(customer, "pm_card_visa")
    shop.go_to("2026-02-05T00:00")
    assert shop.subscription(subscription).status == "active"
    assert shop.v1.customers.retrieve(customer.id).delinquent is False
    assert shop.v1.invoices.retrieve(unpaid.id).attempt_count == 2


def test_a_subscription_that_is_never_paid_ends(shop: Shop) -> None:
    customer = shop.customer()
    subscription = shop.subscribe(customer, shop.price())
    shop.replace_card(customer, "pm_card_chargeCustomerFail")
    shop.go_to("2026-02-20T00:00")
    after = shop.subscription(subscription)
    assert after.status == "canceled"
    assert after.cancellation_details is not None
    assert after.cancellation_details.reason == "payment_failed"
    last = shop.invoices(subscription)[-1]
    assert (last.status, last.attempt_count, last.next_payment_attempt) == ("open", 4, None)
    assert shop.event_types().count("invoice.payment_failed") == 4


@pytest.mark.parametrize("final", ["unpaid", "past_due", "pause"])
def test_the_last_failed_try_does_what_the_account_is_set_to(
    stripe_simulator: StripeSimulator, shop: Shop, final: str
) -> None:
    habits = stripe_simulator.account.habits
    habits.after_last_retry = final  # type: ignore[assignment]
    customer = shop.customer()
    subscription = shop.subscribe(customer, shop.price())
    shop.replace_card(customer, "pm_card_chargeCustomerFail")
    shop.go_to("2026-02-20T00:00")
    status = {"pause": "paused"}.get(final, final)
    assert shop.subscription(subscription).status == status
    shop.go_to("2026-03-02T00:00")
    drafts = [i for i in shop.invoices(subscription) if i.status == "draft"]
    assert len(drafts) == (final == "unpaid")


def test_an_unpaid_subscription_wakes_when_its_newest_invoice_is_paid(
    stripe_simulator: StripeSimulator, shop: Shop
) -> None:
    stripe_simulator.account.habits.after_last_retry = "unpaid"
    customer = shop.customer()
    subscription = shop.subscribe(customer, shop.price())
    shop.replace_card(customer, "pm_card_chargeCustomerFail")
    shop.go_to("2026-02-20T00:00")
    shop.replace_card(customer, "pm_card_visa")
    shop.v1.invoices.pay(shop.invoices(subscription)[-1].id)
    assert shop.subscription(subscription).status == "active"


def test_a_first_payment_that_fails_leaves_23_hours(shop: Shop) -> None:
    customer = shop.customer("pm_card_chargeCustomerFail")
    subscription = shop.subscribe(customer, shop.price())
    assert subscription.status == "incomplete"
    shop.go_to("2026-01-01T22:59")
    assert shop.subscription(subscription).status == "incomplete"
    shop.go_to("2026-01-01T23:00")
    assert shop.subscription(subscription).status == "incomplete_expired"
    assert [i.status for i in shop.invoices(subscription)] == ["void"]


def test_an_incomplete_subscription_is_completed_by_paying_its_invoice(shop: Shop) -> None:
    customer = shop.customer("pm_card_chargeCustomerFail")
    subscription = shop.subscribe(customer, shop.price())
    shop.replace_card(customer, "pm_card_visa")
    shop.v1.invoices.pay(shop.invoices(subscription)[0].id)
    assert shop.subscription(subscription).status == "active"


def test_error_if_incomplete_leaves_nothing_behind(shop: Shop) -> None:
    customer = shop.customer("pm_card_chargeCustomerFail")
    price = shop.price()
    before = len(shop.events())
    with pytest.raises(CardError) as refusal:
        shop.subscribe(customer, price, payment_behavior="error_if_incomplete")
    assert refusal.value.code == "card_declined"
    assert len(shop.events()) == before
    assert shop.v1.subscriptions.list({"status": "all"}).data == []


def test_without_any_card_a_paid_subscription_is_refused(shop: Shop) -> None:
    customer, price = shop.customer(card=None), shop.price()
    with pytest.raises(InvalidRequestError, match="no attached payment source"):
        shop.subscribe(customer, price)


def test_default_incomplete_waits_for_the_customer(shop: Shop) -> None:
    customer = shop.customer(card=None)
    subscription = shop.subscribe(
        customer,
        shop.price(),
        payment_behavior="default_incomplete",
        expand=["latest_invoice.confirmation_secret"],
    )
    assert subscription.status == "incomplete"
    invoice = subscription.latest_invoice
    assert invoice is not None
    assert not isinstance(invoice, str)
    assert invoice.confirmation_secret is not None
    intent = invoice.confirmation_secret.client_secret.partition("_secret_")[0]
    method = shop.v1.payment_methods.attach("pm_card_visa", {"customer": customer.id})
    paid = shop.v1.payment_intents.confirm(intent, {"payment_method": method.id})
    assert paid.status == "succeeded"
    assert shop.subscription(subscription).status == "active"


def test_a_card_that_asks_for_authentication(stripe_simulator: StripeSimulator, shop: Shop) -> None:
    subscription = shop.subscribe(shop.customer("pm_card_authenticationRequired"), shop.price())
    assert subscription.status == "incomplete"
    assert "invoice.payment_action_required" in shop.event_types()
    intent = shop.v1.payment_intents.list().data[0]
    assert intent.status == "requires_action"
    stripe_simulator.authenticate(intent.id)
    assert shop.subscription(subscription).status == "active"


def test_cancel_at_period_end_can_be_taken_back(shop: Shop) -> None:
    subscription = shop.subscribe(shop.customer(), shop.price())
    planned = shop.v1.subscriptions.update(subscription.id, {"cancel_at_period_end": True})
    assert (planned.status, planned.cancel_at) == ("active", unix("2026-02-01"))
    kept = shop.v1.subscriptions.update(subscription.id, {"cancel_at_period_end": False})
    assert (kept.cancel_at, kept.canceled_at) == (None, None)
    shop.v1.subscriptions.update(subscription.id, {"cancel_at_period_end": True})
    shop.go_to("2026-02-01T12:00")
    ended = shop.subscription(subscription)
    assert (ended.status, ended.ended_at) == ("canceled", unix("2026-02-01"))
    assert len(shop.invoices(subscription)) == 1


def test_cancel_at_a_later_date(shop: Shop) -> None:
    subscription = shop.subscribe(shop.customer(), shop.price(), cancel_at=unix("2026-03-15"))
    shop.go_to("2026-04-15T00:00")
    assert shop.subscription(subscription).ended_at == unix("2026-03-15")
    assert len(shop.invoices(subscription)) == 3


def test_cancel_now_stops_collecting(shop: Shop) -> None:
    customer = shop.customer()
    subscription = shop.subscribe(customer, shop.price())
    shop.replace_card(customer, "pm_card_chargeCustomerFail")
    shop.go_to("2026-02-02T00:00")
    ended = shop.v1.subscriptions.cancel(subscription.id)
    assert ended.status == "canceled"
    last = shop.invoices(subscription)[-1]
    assert (last.status, last.auto_advance, last.next_payment_attempt) == ("open", False, None)
    shop.go_to("2026-06-01T00:00")
    assert len(shop.invoices(subscription)) == 2
    with pytest.raises(InvalidRequestError, match="No such subscription"):
        shop.v1.subscriptions.cancel(subscription.id)


def test_cancel_with_proration_gives_the_rest_back(shop: Shop) -> None:
    customer = shop.customer()
    subscription = shop.subscribe(customer, shop.price(3100))
    shop.go_to("2026-01-11T00:00")
    shop.v1.subscriptions.cancel(subscription.id, {"prorate": True, "invoice_now": True})
    assert shop.invoices(subscription)[-1].total == -2100
    assert shop.v1.customers.retrieve(customer.id).balance == -2100


@pytest.mark.parametrize(
    ("behavior", "status"),
    [("void", "void"), ("mark_uncollectible", "uncollectible"), ("keep_as_draft", "draft")],
)
def test_paused_collection_bills_without_asking_for_money(
    shop: Shop, behavior: str, status: str
) -> None:
    subscription = shop.subscribe(shop.customer(), shop.price())
    paused = shop.v1.subscriptions.update(
        subscription.id,
        {"pause_collection": {"behavior": behavior, "resumes_at": unix("2026-02-15")}},
    )
    assert paused.status == "active"
    shop.go_to("2026-03-01T02:00")
    after = shop.subscription(subscription)
    assert (after.status, after.pause_collection) == ("active", None)
    assert [i.status for i in shop.invoices(subscription)] == ["paid", status, "paid"]


def test_a_paused_subscription_bills_nothing_until_it_is_resumed(shop: Shop) -> None:
    subscription = shop.subscribe(shop.customer(), shop.price(3100))
    shop.go_to("2026-01-11T00:00")
    paused = shop.v1.subscriptions.pause(subscription.id)
    assert paused.status == "paused"
    assert paused.status_details is not None
    assert paused.status_details.paused.subscription.type == "pause_requested"
    shop.go_to("2026-04-11T00:00")
    assert len(shop.invoices(subscription)) == 1
    resumed = shop.v1.subscriptions.resume(subscription.id)
    assert resumed.status == "active"
    assert periods(resumed) == [("2026-04-11", "2026-05-11")]
    assert shop.invoices(subscription)[-1].total == 3100 - 2100
    types = shop.event_types()
    assert types.count("customer.subscription.paused") == 1
    assert types.count("customer.subscription.resumed") == 1


def test_a_mailed_invoice_waits_until_it_is_overdue(shop: Shop) -> None:
    subscription = shop.subscribe(
        shop.customer(card=None), shop.price(), collection_method="send_invoice", days_until_due=10
    )
    assert subscription.status == "active"
    shop.go_to("2026-01-01T02:00")
    invoice = shop.invoices(subscription)[0]
    assert (invoice.status, day(invoice.due_date or 0)) == ("open", "2026-01-11")
    shop.go_to("2026-01-12T00:00")
    assert shop.subscription(subscription).status == "past_due"
    shop.v1.invoices.pay(invoice.id, {"paid_out_of_band": True})
    assert shop.subscription(subscription).status == "active"


def test_a_renewal_is_announced_a_week_before(shop: Shop) -> None:
    shop.subscribe(shop.customer(), shop.price())
    shop.go_to("2026-01-25T00:00")
    upcoming = shop.events("invoice.upcoming")[0]
    assert upcoming["data"]["object"]["id"].startswith("upcoming_in_")
    assert upcoming["data"]["object"]["amount_due"] == 2000
    assert len(shop.v1.invoices.list().data) == 1
