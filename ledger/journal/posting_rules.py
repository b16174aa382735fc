"""Which events post to the journal, and what: one balanced entry per event, or none.

invoice.issued               debit receivables          credit billed revenue, tax payable
payment.succeeded            debit provider balance     credit receivables
invoice.marked_uncollectible debit bad debt             credit receivables
invoice.recovered            debit receivables          credit bad debt
invoice.voided               debit billed revenue, tax  credit receivables, bad debt
"""

from __future__ import annotations

from ledger.events.base import Event, NewEvent
from ledger.events.invoice import (
    InvoiceIssued,
    InvoiceMarkedUncollectible,
    InvoiceRecovered,
    InvoiceVoided,
)
from ledger.events.payment import PaymentSucceeded
from ledger.journal.chart import Account
from ledger.journal.entry import Entry, Posting
from ledger.money import Money


def entry_for(new: NewEvent) -> Entry | None:
    """The entry an event causes; None when no money is booked."""
    postings = tuple(posting for posting in _postings(new.event) if posting.amount)
    if not postings:
        return None
    return Entry(stream=new.stream, version=new.version, kind=new.event.NAME, postings=postings)


def _postings(event: Event) -> tuple[Posting, ...]:
    match event:
        case InvoiceIssued(total=total, tax=tax):
            return (
                _debit(Account.RECEIVABLES, total),
                _credit(Account.BILLED_REVENUE, total - tax),
                _credit(Account.TAX_PAYABLE, tax),
            )
        case PaymentSucceeded(amount=amount):
            return _move(amount, debit=Account.PROVIDER_BALANCE, credit=Account.RECEIVABLES)
        case InvoiceMarkedUncollectible(written_off=amount):
            return _move(amount, debit=Account.BAD_DEBT, credit=Account.RECEIVABLES)
        case InvoiceRecovered(recovered=amount):
            return _move(amount, debit=Account.RECEIVABLES, credit=Account.BAD_DEBT)
        case InvoiceVoided(total=total, tax=tax, written_off=written_off):
            return (
                _debit(Account.BILLED_REVENUE, total - tax),
                _debit(Account.TAX_PAYABLE, tax),
                _credit(Account.RECEIVABLES, total - written_off),
                _credit(Account.BAD_DEBT, written_off),
            )
    return ()


def _move(amount: Money, *, debit: Account, credit: Account) -> tuple[Posting, ...]:
    return (_debit(debit, amount), _credit(credit, amount))


def _debit(account: Account, amount: Money) -> Posting:
    return Posting(account, amount.amount, amount.currency)


def _credit(account: Account, amount: Money) -> Posting:
    return Posting(account, -amount.amount, amount.currency)
