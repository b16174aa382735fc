"""Test cards: the numbers and tokens whose behaviour Stripe documents."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

APPROVED: Final = "approved"
NEEDS_CUSTOMER: Final = "authentication_required"


@dataclass(frozen=True)
class Card:
    """A test card: how it looks, what it answers when it is attached and when it is charged."""

    number: str
    brand: str = "visa"
    charge: str = APPROVED
    attach: str = APPROVED
    funding: str = "credit"


def _declined(number: str, code: str) -> Card:
    return Card(number, charge=code, attach=code)


CARDS: Final = {
    "visa": Card("4242424242424242"),
    "visa_debit": Card("4000056655665556", funding="debit"),
    "mastercard": Card("5555555555554444", brand="mastercard"),
    "mastercard_debit": Card("5200828282828210", brand="mastercard", funding="debit"),
    "amex": Card("378282246310005", brand="amex"),
    "discover": Card("6011111111111117", brand="discover"),
    "chargeCustomerFail": Card("4000000000000341", charge="generic_decline"),
    "chargeDeclined": _declined("4000000000000002", "generic_decline"),
    "chargeDeclinedInsufficientFunds": _declined("4000000000009995", "insufficient_funds"),
    "chargeDeclinedLostCard": _declined("4000000000009987", "lost_card"),
    "chargeDeclinedStolenCard": _declined("4000000000009979", "stolen_card"),
    "chargeDeclinedExpiredCard": _declined("4000000000000069", "expired_card"),
    "chargeDeclinedIncorrectCvc": _declined("4000000000000127", "incorrect_cvc"),
    "chargeDeclinedProcessingError": _declined("4000000000000119", "processing_error"),
    "authenticationRequired": Card("4000002760003184", charge=NEEDS_CUSTOMER),
}
"""By the name in `pm_card_<name>` and `tok_<name>`."""

MESSAGES: Final = {
    "generic_decline": "Your card was declined.",
    "insufficient_funds": "Your card has insufficient funds.",
    "lost_card": "Your card was declined.",
    "stolen_card": "Your card was declined.",
    "expired_card": "Your card has expired.",
    "incorrect_cvc": "Your card's security code is incorrect.",
    "processing_error": "An error occurred while processing your card. Try again in a little bit.",
    "authentication_required": "Your card was declined. This transaction requires authentication.",
    "do_not_honor": "Your card was declined.",
}

OUTCOMES: Final = frozenset({APPROVED, *MESSAGES})


def by_token(token: str) -> Card | None:
    """The card of `pm_card_visa` or `tok_visa`."""
    for prefix in ("pm_card_", "tok_"):
        if token.startswith(prefix):
            return CARDS.get(token.removeprefix(prefix))
    return None


def by_number(number: str) -> Card | None:
    plain = number.replace(" ", "")
    return next((card for card in CARDS.values() if card.number == plain), None)
