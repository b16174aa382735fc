"""Money is exact: it adds only to its like, rounds once, and splits without a remainder."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.errors import InvalidMoney
from ledger.money import Money, check_currency, exponent_of, round_half_up

amounts = st.integers(-(10**12), 10**12)


@pytest.mark.parametrize(
    ("currency", "exponent"),
    [("usd", 2), ("jpy", 0), ("kwd", 3), ("isk", 2), ("ugx", 2), ("mga", 0), ("xpf", 0)],
)
def test_exponents_are_the_providers_not_iso(currency: str, exponent: int) -> None:
    assert exponent_of(currency) == exponent


@pytest.mark.parametrize(
    ("money", "text"),
    [
        (Money(12345, "usd"), "123.45 USD"),
        (Money(-5, "usd"), "-0.05 USD"),
        (Money(500, "jpy"), "500 JPY"),
        (Money(1234, "kwd"), "1.234 KWD"),
    ],
)
def test_money_reads_like_money(money: Money, text: str) -> None:
    assert str(money) == text


@pytest.mark.parametrize("amount", [True, 10**16, -(10**16)])
def test_what_is_no_amount_is_refused(amount: int) -> None:
    with pytest.raises(InvalidMoney):
        Money(amount, "usd")


@pytest.mark.parametrize("currency", ["", "us", "USD ", "u$d", "ußd", "USD"])
def test_what_is_no_currency_as_we_write_it_is_refused(currency: str) -> None:
    with pytest.raises(InvalidMoney):
        Money(1, currency)


def test_a_currency_is_written_in_lower_case() -> None:
    assert check_currency("EUR") == "eur"


def test_currencies_do_not_add() -> None:
    with pytest.raises(InvalidMoney):
        Money(1, "usd") + Money(1, "eur")


@pytest.mark.parametrize(
    ("share", "whole"),
    [(Fraction(1, 2), 1), (Fraction(-1, 2), -1), (Fraction(5, 4), 1), (Fraction(3, 2), 2)],
)
def test_a_half_goes_away_from_zero(share: Fraction, whole: int) -> None:
    assert round_half_up(share) == whole


@given(amounts, amounts)
def test_subtraction_takes_back_addition(one: int, other: int) -> None:
    assert Money(one, "usd") + Money(other, "usd") - Money(other, "usd") == Money(one, "usd")


@given(amounts, st.lists(st.integers(0, 1000), min_size=1, max_size=9).filter(any))
def test_shares_sum_to_the_whole_and_are_fair(amount: int, weights: list[int]) -> None:
    shares = Money(amount, "usd").split(weights)
    assert sum(share.amount for share in shares) == amount
    for share, weight in zip(shares, weights, strict=True):
        assert abs(share.amount - Fraction(amount * weight, sum(weights))) < 1


@pytest.mark.parametrize("weights", [[], [0, 0], [1, -1, 3]])
def test_no_shares_by_weights_that_weigh_nothing(weights: list[int]) -> None:
    with pytest.raises(InvalidMoney):
        Money(1, "usd").split(weights)


@given(amounts, st.fractions(-10, 10, max_denominator=1000))
def test_a_share_is_off_by_half_a_minor_unit_at_most(amount: int, factor: Fraction) -> None:
    exact = amount * factor
    assert abs(Money(amount, "usd").times(factor).amount - exact) <= Fraction(1, 2)
