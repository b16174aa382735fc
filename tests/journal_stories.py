"""The stories of docs/journal.md as events, and what the journal makes of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from ledger.events.base import Event, NewEvent
from ledger.events.invoice import (
    InvoiceCollectionFailed,
    InvoiceIssued,
    InvoiceMarkedUncollectible,
    InvoiceRecovered,
    InvoiceSettled,
    InvoiceVoided,
)
from ledger.events.payment import PaymentFailed, PaymentSucceeded
from ledger.journal.posting_rules import entry_for
from ledger.money import Money

_ANYBODY: Final = UUID(int=0)
_TOTAL: Final = Money(3_480, "usd")
_TAX: Final = Money(580, "usd")
_NOTHING: Final = Money(0, "usd")

_ISSUED: Final = InvoiceIssued(
    customer=_ANYBODY,
    subscription=None,
    provider_id="in_1",
    number=None,
    total=_TOTAL,
    tax=_TAX,
    lines=(),
)
_PAID: Final = PaymentSucceeded(customer=_ANYBODY, provider_id="pi_1", amount=_TOTAL)
_REFUSED: Final = PaymentFailed(
    customer=_ANYBODY, provider_id="pi_1", amount=_TOTAL, attempt="ch_1", reason=None
)
_SETTLED: Final = InvoiceSettled(paid=_TOTAL)
_GIVEN_UP: Final = InvoiceMarkedUncollectible(written_off=_TOTAL)

STORIES: Final[dict[str, Sequence[Event]]] = {
    "Issued, then paid": (_ISSUED, _PAID, _SETTLED),
    "Issued, then written off": (
        _ISSUED,
        _REFUSED,
        InvoiceCollectionFailed(attempt=1, next_attempt_at=None),
        _GIVEN_UP,
    ),
    "Written off, then recovered": (
        _ISSUED,
        _GIVEN_UP,
        InvoiceRecovered(recovered=_TOTAL),
        _SETTLED,
        _PAID,
    ),
    "Issued, then voided": (
        _ISSUED,
        InvoiceVoided(total=_TOTAL, tax=_TAX, written_off=_NOTHING),
    ),
    "Written off, then voided": (
        _ISSUED,
        _GIVEN_UP,
        InvoiceVoided(total=_TOTAL, tax=_TAX, written_off=_TOTAL),
    ),
}


def posted(story: Sequence[Event]) -> Iterator[tuple[str, str, str, str]]:
    """Event, account, debit and credit of every posting, as the page has them."""
    for version, event in enumerate(story, start=1):
        entry = entry_for(
            NewEvent(
                stream=_ANYBODY,
                version=version,
                event=event,
                effective_at=datetime(2026, 6, 1, tzinfo=UTC),
            )
        )
        if entry is None:
            yield event.NAME, "nothing", "", ""
            continue
        for posting in entry.postings:
            amount = str(Money(abs(posting.amount), posting.currency)).split(" ")[0]
            debit, credit = (amount, "") if posting.amount > 0 else ("", amount)
            yield event.NAME, posting.account, debit, credit
