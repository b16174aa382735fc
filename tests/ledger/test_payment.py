"""A payment: however many reports, the money counts once."""

from __future__ import annotations

from ledger import payment
from ledger.events.base import Decided
from ledger.events.payment import PaymentAllocated, PaymentFailed, PaymentSucceeded
from ledger.facts import AllocationFact, PaymentFact, ProviderAccount
from ledger.ids import owner_id
from ledger.money import Money
from tests.given import When, day, given, on

ACCOUNT = ProviderAccount("stripe", "acct_1", livemode=False)
CUSTOMER, INVOICE = owner_id("customer", "ann"), owner_id("invoice", "1")
AMOUNT = Money(1000, "usd")
SUCCEEDED = on(1, PaymentSucceeded(customer=CUSTOMER, provider_id="pi_1", amount=AMOUNT))


def failed(attempt: str) -> PaymentFailed:
    return PaymentFailed(
        customer=CUSTOMER,
        provider_id="pi_1",
        amount=AMOUNT,
        attempt=attempt,
        reason="card_declined",
    )


FAILED = on(0, failed("ch_1"))
ALLOCATION = AllocationFact(
    account=ACCOUNT,
    provider_id="inpay_1",
    observed_at=day(1),
    source="evt_2",
    invoice="in_1",
    payment="pi_1",
    amount=AMOUNT,
)
ALLOCATED = on(1, PaymentAllocated(allocation="inpay_1", invoice=INVOICE, amount=AMOUNT))


def fact(observed: int, *, succeeded: bool | None, attempt: str = "ch_1") -> PaymentFact:
    return PaymentFact(
        account=ACCOUNT,
        provider_id="pi_1",
        observed_at=day(observed),
        source="evt_1",
        customer="cus_1",
        amount=AMOUNT,
        succeeded=succeeded,
        attempt=attempt,
        failure=None if succeeded else "card_declined",
        invoice=None,
    )


def hears(*history: Decided, say: PaymentFact) -> When[payment.Payment | None]:
    return given(payment.evolve, *history).when(
        lambda state: payment.observe(state, say, customer=CUSTOMER)
    )


def allocates(*history: Decided, say: AllocationFact) -> When[payment.Payment | None]:
    return given(payment.evolve, *history).when(
        lambda state: payment.allocate(state, say, invoice=INVOICE)
    )


def test_success_is_told_once_whoever_reports_it() -> None:
    hears(say=fact(1, succeeded=True)).then(SUCCEEDED)
    hears(SUCCEEDED, say=fact(2, succeeded=True, attempt="pi_1")).then()


def test_an_open_outcome_is_no_event() -> None:
    hears(say=fact(0, succeeded=None)).then()


def test_each_failed_try_is_told_once() -> None:
    hears(say=fact(0, succeeded=False)).then(FAILED)
    hears(FAILED, say=fact(0, succeeded=False)).then()
    second = on(2, failed("ch_2"))
    hears(FAILED, say=fact(2, succeeded=False, attempt="ch_2")).then(second)


def test_a_try_may_succeed_after_others_failed() -> None:
    hears(FAILED, say=fact(1, succeeded=True)).then(SUCCEEDED)


def test_an_allocation_counts_once_before_or_after_the_payment_is_known() -> None:
    allocates(say=ALLOCATION).then(ALLOCATED)
    allocates(SUCCEEDED, say=ALLOCATION).then(ALLOCATED)
    allocates(ALLOCATED, say=ALLOCATION).then()
    hears(ALLOCATED, say=fact(1, succeeded=True)).then(SUCCEEDED)
