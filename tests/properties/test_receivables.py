"""What customers owe, by the journal: issued, less what was paid, written off or voided, always.

The oracle knows nothing of events or postings: it keeps, for each invoice and payment, what was
said of it, and adds up.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import Final

from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.facts import Fact, InvoiceFact, PaymentFact
from ledger.journal.chart import Account
from ledger.money import Money
from tests.commands.world import World, customer, invoice, payment
from tests.given import day

_CURRENCIES: Final = {"in_1": "usd", "in_2": "usd", "in_3": "jpy"}
_ENDS: Final = frozenset({"paid", "void"})


@st.composite
def _invoices(draw: st.DrawFn) -> InvoiceFact:
    name = draw(st.sampled_from(list(_CURRENCIES)))
    # An issued invoice's amounts never change, so they follow from its name.
    total = Money(1000 * int(name[-1]), _CURRENCIES[name])
    return invoice(
        provider_id=name,
        customer="cus_2" if name == "in_2" else "cus_1",
        status=draw(st.sampled_from(["draft", "open", "paid", "void", "uncollectible"])),
        total=total,
        tax=replace(total, amount=total.amount // 6),
        paid=replace(total, amount=draw(st.integers(0, total.amount))),
        failed_attempt=draw(st.none() | st.integers(1, 4)),
    )


@st.composite
def _payments(draw: st.DrawFn) -> PaymentFact:
    name = draw(st.sampled_from(["pi_1", "pi_2", "pi_3"]))
    return replace(
        payment(),
        provider_id=name,
        customer="cus_2" if name == "pi_2" else "cus_1",
        amount=Money(300 * int(name[-1]), "jpy" if name == "pi_3" else "usd"),
        succeeded=draw(st.sampled_from([True, False, None])),
    )


@st.composite
def _told(draw: st.DrawFn) -> list[Fact]:
    facts = draw(st.lists(st.one_of(_invoices(), _invoices(), _payments()), max_size=20))
    return [replace(fact, observed_at=day(draw(st.integers(0, 30)))) for fact in facts]


@dataclass(frozen=True)
class Bill:
    """An invoice as the messages so far tell it."""

    customer: str
    total: Money
    written_off: int = 0
    given_up: bool = False
    ended: str | None = None

    def told(self, fact: InvoiceFact) -> Bill:
        if self.ended is not None:
            return self
        if fact.status in _ENDS:
            return replace(self, ended=fact.status, written_off=0)
        if fact.status == "uncollectible" and not self.given_up:
            lost = self.total.amount - fact.paid.amount
            return replace(self, given_up=True, written_off=lost)
        return self

    @property
    def owed(self) -> int:
        return 0 if self.ended == "void" else self.total.amount - self.written_off


class Books:
    """What each customer owes by what the messages say."""

    def __init__(self) -> None:
        self._bills: dict[str, Bill] = {}
        self._paid: dict[str, PaymentFact] = {}

    def tell(self, fact: Fact) -> None:
        match fact:
            case InvoiceFact() if fact.status != "draft":
                bill = self._bills.get(fact.provider_id) or Bill(fact.customer, fact.total)
                self._bills[fact.provider_id] = bill.told(fact)
            case PaymentFact(succeeded=True):
                self._paid.setdefault(fact.provider_id, fact)

    def owed(self) -> Counter[tuple[str, str]]:
        owed: Counter[tuple[str, str]] = Counter()
        for bill in self._bills.values():
            owed[bill.customer, bill.total.currency] += bill.owed
        for paid in self._paid.values():
            owed[paid.customer, paid.amount.currency] -= paid.amount.amount
        return owed

    def given_up(self) -> Counter[str]:
        given_up: Counter[str] = Counter()
        for bill in self._bills.values():
            given_up[bill.total.currency] += bill.written_off
        return given_up


def _receivables(world: World, names: dict[str, str]) -> Counter[tuple[str, str]]:
    owners = {recorded.stream: names.get(str(recorded.owner), "") for recorded in world.history()}
    found: Counter[tuple[str, str]] = Counter()
    for entry in world.log.entries:
        for posting in entry.postings:
            if posting.account is Account.RECEIVABLES:
                found[owners[entry.stream], posting.currency] += posting.amount
    return found


@settings(max_examples=150, deadline=None)
@given(_told())
def test_receivables_are_what_is_issued_and_neither_paid_nor_given_up(story: list[Fact]) -> None:
    world, books = World().with_acme(), Books()
    known = world.hear(customer("cus_1"), customer("cus_2"))
    names = {
        receipt.ids["customer"]: name
        for receipt, name in zip(known, ["cus_1", "cus_2"], strict=True)
    }
    for fact in story:
        world.hear(fact)
        books.tell(fact)
        assert _receivables(world, names) == books.owed()
    _assert_ended(world, books)


def _assert_ended(world: World, books: Books) -> None:
    """Bad debt is what stays written off; the trial balance is nothing in each currency."""
    balance: Counter[str] = Counter()
    bad_debt: Counter[str] = Counter()
    for entry in world.log.entries:
        for posting in entry.postings:
            balance[posting.currency] += posting.amount
            if posting.account is Account.BAD_DEBT:
                bad_debt[posting.currency] += posting.amount
    assert not any(balance.values())
    assert bad_debt == books.given_up()
