"""The journal: which events post, and that every entry balances."""

from __future__ import annotations

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from ledger.events.base import Event, NewEvent
from ledger.events.invoice import (
    InvoiceIssued,
    InvoiceMarkedUncollectible,
    InvoiceRecovered,
    InvoiceSettled,
    InvoiceVoided,
)
from ledger.events.payment import PaymentFailed, PaymentSucceeded
from ledger.ids import owner_id
from ledger.journal.chart import Account
from ledger.journal.entry import Entry, Posting, Unbalanced
from ledger.journal.posting_rules import entry_for
from ledger.money import Money
from tests.given import day

CUSTOMER = owner_id("customer", "ann")


def posted(event: Event) -> str:
    """The entry an event causes, as a ledger has it: one line a posting."""
    entry = entry_for(NewEvent(stream=CUSTOMER, version=1, event=event, effective_at=day(0)))
    if entry is None:
        return ""
    return "\n".join(
        f"{line.account:<17}{line.amount:>6} {line.currency}" for line in entry.postings
    )


def eur(amount: int) -> Money:
    return Money(amount, "eur")


def issued(total: int, tax: int) -> InvoiceIssued:
    return InvoiceIssued(
        customer=CUSTOMER,
        subscription=None,
        provider_id="in_1",
        number=None,
        total=eur(total),
        tax=eur(tax),
        lines=(),
    )


def paid(amount: int) -> PaymentSucceeded:
    return PaymentSucceeded(customer=CUSTOMER, provider_id="pi_1", amount=eur(amount))


CASES: list[tuple[Event, str]] = [
    (
        issued(1190, 190),
        """
receivables        1190 eur
billed_revenue    -1000 eur
tax_payable        -190 eur""",
    ),
    (
        issued(-500, 0),
        """
receivables        -500 eur
billed_revenue      500 eur""",
    ),
    (issued(0, 0), ""),
    (
        paid(1190),
        """
provider_balance   1190 eur
receivables       -1190 eur""",
    ),
    (
        InvoiceMarkedUncollectible(written_off=eur(1190)),
        """
bad_debt           1190 eur
receivables       -1190 eur""",
    ),
    (
        InvoiceRecovered(recovered=eur(1190)),
        """
receivables        1190 eur
bad_debt          -1190 eur""",
    ),
    (
        InvoiceVoided(total=eur(1190), tax=eur(190), written_off=eur(0)),
        """
billed_revenue     1000 eur
tax_payable         190 eur
receivables       -1190 eur""",
    ),
    (
        InvoiceVoided(total=eur(1190), tax=eur(190), written_off=eur(1190)),
        """
billed_revenue     1000 eur
tax_payable         190 eur
bad_debt          -1190 eur""",
    ),
    (InvoiceSettled(paid=eur(1190)), ""),
    (
        PaymentFailed(
            customer=CUSTOMER, provider_id="pi_1", amount=eur(1), attempt="ch_1", reason=None
        ),
        "",
    ),
]


@pytest.mark.parametrize(("event", "expected"), CASES)
def test_what_an_event_posts(event: Event, expected: str) -> None:
    assert posted(event) == expected.strip("\n")


@for_all(st.integers(-(10**9), 10**9), st.integers(-(10**9), 10**9), st.integers(-(10**9), 10**9))
def test_whatever_the_amounts_an_entry_balances(total: int, tax: int, off: int) -> None:
    # An entry that did not balance could not be made: Unbalanced would be raised.
    posted(issued(total, tax))
    posted(paid(total))
    posted(InvoiceVoided(total=eur(total), tax=eur(tax), written_off=eur(off)))


@pytest.mark.parametrize(
    "postings",
    [
        (),
        (Posting(Account.RECEIVABLES, 1, "eur"),),
        (Posting(Account.RECEIVABLES, 1, "eur"), Posting(Account.BAD_DEBT, -1, "usd")),
        (
            Posting(Account.RECEIVABLES, 1, "eur"),
            Posting(Account.BAD_DEBT, -1, "eur"),
            Posting(Account.TAX_PAYABLE, 0, "eur"),
        ),
    ],
)
def test_what_does_not_balance_is_no_entry(postings: tuple[Posting, ...]) -> None:
    with pytest.raises(Unbalanced):
        Entry(stream=CUSTOMER, version=1, kind="test", postings=postings)
