"""Money as integer minor units and a currency; exact, with one rounding at the end.

Exponents follow Stripe's table, not ISO 4217: Stripe counts ISK and UGX with two decimals, MGA
with none, and so on (https://docs.stripe.com/currencies, zero- and three-decimal lists).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Final

from ledger.errors import InvalidMoney

# fmt: off
_ZERO_DECIMAL: Final = frozenset((
    "bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga",
    "pyg", "rwf", "vnd", "vuv", "xaf", "xof", "xpf",
))
# fmt: on
_THREE_DECIMAL: Final = frozenset(("bhd", "jod", "kwd", "omr", "tnd"))
_LARGEST: Final = 10**15
_SMALLEST: Final = -_LARGEST
_sound_currencies: set[str] = set()


def exponent_of(currency: str) -> int:
    """How many decimals a currency's major unit has at the provider: 0, 2 or 3."""
    if currency in _ZERO_DECIMAL:
        return 0
    return 3 if currency in _THREE_DECIMAL else 2


@lru_cache(maxsize=512)
def check_currency(currency: str) -> str:
    """A currency code as we write it: three lower-case letters."""
    if len(currency) != 3 or not currency.isascii() or not currency.isalpha():
        raise InvalidMoney("currency", f"{currency!r} is not a currency code")
    return currency.lower()


def round_half_up(amount: Fraction) -> int:
    """The nearest whole minor unit; a half goes away from zero."""
    whole, rest = divmod(abs(amount.numerator), amount.denominator)
    magnitude = whole + (1 if 2 * rest >= amount.denominator else 0)
    return magnitude if amount >= 0 else -magnitude


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in minor units of a currency."""

    amount: int
    currency: str

    def __post_init__(self) -> None:
        # History makes these by the million: what is plainly sound costs one look.
        if (
            self.currency not in _sound_currencies
            or type(self.amount) is not int
            or not _SMALLEST <= self.amount <= _LARGEST
        ):
            self._check()

    def _check(self) -> None:
        if isinstance(self.amount, bool) or not isinstance(self.amount, int):
            raise InvalidMoney("amount", "must be a whole number of minor units")
        if abs(self.amount) > _LARGEST:
            raise InvalidMoney("amount", f"must be within ±{_LARGEST} minor units")
        if self.currency != check_currency(self.currency):
            raise InvalidMoney("currency", "must be in lower case")
        _sound_currencies.add(self.currency)

    def __add__(self, other: Money) -> Money:
        return Money(self.amount + self._alike(other), self.currency)

    def __sub__(self, other: Money) -> Money:
        return Money(self.amount - self._alike(other), self.currency)

    def __neg__(self) -> Money:
        return Money(-self.amount, self.currency)

    def __str__(self) -> str:
        exponent = exponent_of(self.currency)
        sign = "-" if self.amount < 0 else ""
        whole, rest = divmod(abs(self.amount), 10**exponent)
        decimals = f".{rest:0{exponent}d}" if exponent else ""
        return f"{sign}{whole}{decimals} {self.currency.upper()}"

    def times(self, factor: Fraction) -> Money:
        """A share of this amount, rounded once, half up."""
        return Money(round_half_up(self.amount * factor), self.currency)

    def split(self, weights: Sequence[int]) -> list[Money]:
        """Shares in proportion to weights that sum to the whole, by largest remainder.

        Raises InvalidMoney when there is no positive weight.
        """
        total = sum(weights)
        if total <= 0 or any(weight < 0 for weight in weights):
            raise InvalidMoney("weights", "must be non-negative and not all zero")
        exact = [Fraction(self.amount * weight, total) for weight in weights]
        floors = [share.numerator // share.denominator for share in exact]
        left = self.amount - sum(floors)
        by_remainder = sorted(
            range(len(exact)), key=lambda index: (floors[index] - exact[index], index)
        )
        for index in by_remainder[:left]:
            floors[index] += 1
        return [Money(share, self.currency) for share in floors]

    def _alike(self, other: Money) -> int:
        if other.currency != self.currency:
            raise InvalidMoney("currency", f"{other.currency} does not add to {self.currency}")
        return other.amount
