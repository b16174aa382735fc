"""Random stories as facts: plausible and implausible, about few objects, in any order.

No two facts of a story are observed at the same instant, and trials end after the story: what is
told of one instant, or counts before it was observed, has an order that no fact alone can tell.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from hypothesis import strategies as st

from ledger.events.subscription import SubscriptionStatus
from ledger.facts import (
    AllocationFact,
    CheckoutFact,
    Fact,
    ItemFact,
    ProviderAccount,
    SubscriptionFact,
)
from ledger.money import Money
from ledger.period import Interval, Period, Unit
from tests.commands.world import (
    ACCOUNT,
    customer,
    invoice,
    payment,
    price,
    product,
    subscription,
)
from tests.given import day

STRANGER: Final = replace(ACCOUNT, livemode=True)
"""The other side of the account, which no project is the home of."""

PLANS: Final = {
    "basic": (("export", "true"), ("seats", "5")),
    "pro": (("seats", "unlimited"), ("tier", "top in low<mid<top")),
}
_AFTER_THE_STORY: Final = 90

_customers = st.sampled_from(["cus_1", "cus_2"])
_products = st.sampled_from(["prod_1", "prod_2"])
_prices = st.sampled_from(["price_1", "price_2", "price_3"])
_currencies = st.sampled_from(["usd", "jpy"])
_amounts = st.integers(-500, 5000)
_moments = st.none() | st.integers(0, 40).map(day)
_money = st.builds(Money, _amounts, _currencies)


def _customer(name: str, external_id: str | None, deleted: bool) -> Fact:
    return customer(name, external_id=external_id, deleted=deleted)


def _product(name: str, plan: str, active: bool, deleted: bool) -> Fact:
    sold = product(name, plan=plan, features=PLANS[plan], active=active, deleted=deleted)
    return replace(sold, name=plan)


def _price(name: str, sold: str, active: bool, deleted: bool) -> Fact:
    return price(name, product=sold, active=active, deleted=deleted)


@st.composite
def _items(draw: st.DrawFn) -> tuple[ItemFact, ...]:
    items = []
    for name in draw(st.lists(st.sampled_from(["si_1", "si_2"]), unique=True)):
        start = draw(st.integers(0, 30))
        spanned = Period(day(start), day(start + draw(st.integers(1, 60))))
        items.append(
            ItemFact(
                provider_id=name,
                price=draw(_prices),
                product=draw(_products),
                amount=draw(st.none() | _money),
                interval=Interval(Unit.MONTH, draw(st.integers(1, 12))),
                quantity=draw(st.integers(0, 10)),
                period=draw(st.none() | st.just(spanned)),
            )
        )
    return tuple(items)


@st.composite
def _subscriptions(draw: st.DrawFn) -> SubscriptionFact:
    cancel_at = draw(_moments)
    return subscription(
        provider_id=draw(st.sampled_from(["sub_1", "sub_2"])),
        customer=draw(_customers),
        status=draw(st.sampled_from(list(SubscriptionStatus))),
        items=draw(_items()),
        trial_end=draw(st.none() | st.integers(_AFTER_THE_STORY, 99).map(day)),
        cancel_at=cancel_at,
        cancel_at_period_end=draw(st.booleans()),
        ended_at=draw(_moments),
        pause_reason=draw(st.none() | st.just("trial")),
        collection_paused=draw(st.booleans()),
        first=draw(st.booleans()),
    )


@st.composite
def _invoices(draw: st.DrawFn) -> Fact:
    status = draw(st.sampled_from(["draft", "open", "paid", "void", "uncollectible"]))
    return invoice(
        provider_id=draw(st.sampled_from(["in_1", "in_2"])),
        customer=draw(_customers),
        status=status,
        total=draw(_money),
        tax=draw(_money),
        paid=draw(_money),
        # A draft that was voided is no history, unless another message says that it was issued.
        issued_at=day(0) if status == "void" else draw(_moments),
        settled_at=draw(_moments),
        voided_at=draw(_moments),
        uncollectible_at=draw(_moments),
        failed_attempt=draw(st.none() | st.integers(1, 4)),
        next_attempt_at=draw(_moments),
    )


@st.composite
def _payments(draw: st.DrawFn) -> Fact:
    return replace(
        payment(),
        provider_id=draw(st.sampled_from(["pi_1", "pi_2"])),
        customer=draw(_customers),
        amount=draw(_money),
        succeeded=draw(st.sampled_from([True, False, None])),
        attempt=draw(st.sampled_from(["ch_1", "ch_2"])),
    )


@st.composite
def _allocations(draw: st.DrawFn) -> Fact:
    bill = draw(st.sampled_from(["in_1", "in_2"]))
    payer = draw(st.sampled_from(["pi_1", "pi_2"]))
    return AllocationFact(
        account=ACCOUNT,
        provider_id=f"{bill}:{payer}",
        observed_at=day(0),
        source="evt_a",
        invoice=bill,
        payment=payer,
        amount=draw(_money),
    )


def _checkout(name: str, external_id: str | None, paid: bool) -> Fact:
    return CheckoutFact(
        account=ACCOUNT,
        provider_id="cs_1",
        observed_at=day(0),
        source="evt_cs",
        customer=name,
        external_id=external_id,
        subscription="sub_1",
        paid=paid,
    )


_user_ids = st.none() | st.sampled_from(["ann", "bob"])
_flags = st.booleans()
_accounts = st.sampled_from([ACCOUNT] * 7 + [STRANGER])

facts: Final[st.SearchStrategy[Fact]] = st.one_of(
    st.builds(_customer, _customers, _user_ids, _flags),
    st.builds(_product, _products, st.sampled_from(list(PLANS)), _flags, _flags),
    st.builds(_price, _prices, _products, _flags, _flags),
    _subscriptions(),
    _subscriptions(),  # twice: most of what can go wrong is theirs
    _invoices(),
    _payments(),
    _allocations(),
    st.builds(_checkout, _customers, _user_ids, _flags),
)


@st.composite
def stories(draw: st.DrawFn) -> list[Fact]:
    """Facts in the order they are told: each observed at an instant of its own, some repeated."""
    told = draw(st.lists(st.tuples(facts, _accounts), min_size=1, max_size=14))
    hours = draw(st.permutations(range(len(told))))
    story = [
        _seen(fact, account, day(0) + timedelta(hours=12 * hour))
        for (fact, account), hour in zip(told, hours, strict=True)
    ]
    again = draw(st.lists(st.sampled_from(story), max_size=4))
    return [*_beginnings(draw), *story, *again]


def _beginnings(draw: Callable[[st.SearchStrategy[bool]], bool]) -> list[Fact]:
    """Most stories begin with what the rest needs; some leave it to chance."""
    if not draw(st.sampled_from([True, True, False])):
        return []
    early = day(0) - timedelta(days=1)
    begun: list[Fact] = [customer("cus_1"), customer("cus_2", external_id="ann")]
    begun += [product("prod_1", features=PLANS["basic"])]
    begun += [product("prod_2", plan="pro", features=PLANS["pro"])]
    return [replace(fact, observed_at=early) for fact in begun]


def _seen(fact: Fact, account: ProviderAccount, at: datetime) -> Fact:
    return replace(fact, account=account, observed_at=at)
