"""An invoice: issued once, then settled, voided or given up; and what each posts."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ledger import invoice
from ledger.errors import NotFound
from ledger.events.base import Decided
from ledger.events.invoice import (
    InvoiceCollectionFailed,
    InvoiceIssued,
    InvoiceMarkedUncollectible,
    InvoiceRecovered,
    InvoiceSettled,
    InvoiceVoided,
)
from ledger.facts import InvoiceFact, ProviderAccount
from ledger.ids import owner_id
from ledger.money import Money
from tests.given import When, day, given, on

CUSTOMER = owner_id("customer", "ann")
TOTAL, TAX, NOTHING = Money(1190, "eur"), Money(190, "eur"), Money(0, "eur")
ISSUED = on(
    0,
    InvoiceIssued(
        customer=CUSTOMER,
        subscription=None,
        provider_id="in_1",
        number="F-1",
        total=TOTAL,
        tax=TAX,
        lines=(),
    ),
)
SETTLED = on(1, InvoiceSettled(paid=TOTAL))
GIVEN_UP = on(40, InvoiceMarkedUncollectible(written_off=TOTAL))


def fact(status: str, observed: int, **changes: object) -> InvoiceFact:
    plain = InvoiceFact(
        account=ProviderAccount("stripe", "acct_1", livemode=False),
        provider_id="in_1",
        observed_at=day(observed),
        source="evt_1",
        customer="cus_1",
        subscription=None,
        status=status,
        number="F-1",
        total=TOTAL,
        tax=TAX,
        paid=NOTHING,
        lines=(),
        issued_at=day(0),
        settled_at=None,
        voided_at=None,
        uncollectible_at=None,
        failed_attempt=None,
        next_attempt_at=None,
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


def hears(*history: Decided, say: InvoiceFact) -> When[invoice.Invoice | None]:
    return given(invoice.evolve, *history).when(
        lambda state: invoice.observe(state, say, customer=CUSTOMER, subscription=None)
    )


def test_a_draft_is_not_history() -> None:
    hears(say=fact("draft", 0, issued_at=None)).then()


def test_a_draft_that_was_voided_never_was() -> None:
    hears(say=fact("void", 0, issued_at=None)).then()


def test_it_is_issued_once() -> None:
    hears(say=fact("open", 0)).then(ISSUED)
    hears(ISSUED, say=fact("open", 1)).then()


def test_first_heard_of_when_paid_it_was_issued_before() -> None:
    say = fact("paid", 2, paid=TOTAL, settled_at=day(1))
    hears(say=say).then(ISSUED, SETTLED)


def test_it_is_settled_once_and_stays_so() -> None:
    paid = fact("paid", 2, paid=TOTAL, settled_at=day(1))
    hears(ISSUED, say=paid).then(SETTLED)
    for late in (paid, fact("open", 3), fact("void", 3), fact("uncollectible", 3)):
        hears(ISSUED, SETTLED, say=late).then()


def test_each_failed_attempt_counts_once_in_any_order() -> None:
    first, second = (
        on(number, InvoiceCollectionFailed(attempt=number, next_attempt_at=day(number + 2)))
        for number in (1, 2)
    )
    again = fact("open", 1, failed_attempt=1, next_attempt_at=day(3))
    hears(ISSUED, say=again).then(first)
    hears(ISSUED, first, say=again).then()
    hears(ISSUED, second, say=again).then(first)
    hears(ISSUED, SETTLED, say=again).then(first)
    hears(ISSUED, SETTLED, first, say=again).then()


def test_a_void_invoice_stays_void() -> None:
    voided = on(3, InvoiceVoided(total=TOTAL, tax=TAX, written_off=NOTHING))
    hears(ISSUED, say=fact("void", 4, voided_at=day(3))).then(voided)
    hears(ISSUED, voided, say=fact("paid", 5, paid=TOTAL)).then()


def test_what_is_given_up_is_the_open_part() -> None:
    say = fact("uncollectible", 41, paid=Money(190, "eur"), uncollectible_at=day(40))
    hears(ISSUED, say=say).then(on(40, InvoiceMarkedUncollectible(written_off=Money(1000, "eur"))))


def test_given_up_it_may_still_be_paid() -> None:
    say = fact("paid", 50, paid=TOTAL, settled_at=day(50))
    hears(ISSUED, GIVEN_UP, say=say).then(
        on(50, InvoiceRecovered(recovered=TOTAL)), on(50, InvoiceSettled(paid=TOTAL))
    )


def test_given_up_it_may_still_be_voided_and_the_bad_debt_goes() -> None:
    hears(ISSUED, GIVEN_UP, say=fact("void", 50, voided_at=day(50))).then(
        on(50, InvoiceVoided(total=TOTAL, tax=TAX, written_off=TOTAL))
    )


def test_history_begins_with_an_issue() -> None:
    with pytest.raises(NotFound):
        given(invoice.evolve, SETTLED)
