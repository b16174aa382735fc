"""Stripe's objects, in every shape they have had, as our facts.

A field is looked for where any version put it; the version a message claims is never asked, because
additive fields appear at any version and one event may be rendered at two.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

from ledger.errors import InvalidInput
from ledger.facts import ProviderAccount
from providers.port import UNMAPPED, Reading, UnknownShape
from providers.stripe.normalise.catalog import read_price, read_product
from providers.stripe.normalise.checkout import read_checkout
from providers.stripe.normalise.customer import read_customer
from providers.stripe.normalise.invoice import read_invoice, read_invoice_payment
from providers.stripe.normalise.payment import read_charge, read_payment_intent
from providers.stripe.normalise.shape import Observation, Shape
from providers.stripe.normalise.subscription import read_subscription

Reader = Callable[[Shape, Observation], Reading]

# Each message about these carries the whole object, so all of its occasions read alike.
_WHOLE: Final[Mapping[str, tuple[str, Reader]]] = {
    "customer": ("customer", read_customer),
    "customer.subscription": ("subscription", read_subscription),
    "invoice": ("invoice", read_invoice),
    "plan": ("plan", read_price),
    "price": ("price", read_price),
    "product": ("product", read_product),
}
_SINGLE: Final[Mapping[str, tuple[str, Reader]]] = {
    "charge.failed": ("charge", read_charge),
    "charge.succeeded": ("charge", read_charge),
    "checkout.session.completed": ("checkout.session", read_checkout),
    "invoice_payment.paid": ("invoice_payment", read_invoice_payment),
    "payment_intent.payment_failed": ("payment_intent", read_payment_intent),
    "payment_intent.succeeded": ("payment_intent", read_payment_intent),
}
_FETCHED: Final[Mapping[str, Reader]] = dict(_WHOLE.values())


def normalise(event: Mapping[str, object], account: ProviderAccount) -> Reading:
    """The facts of an event's snapshot, parents before what needs them, or why there are none.

    Raises UnknownShape when the object does not read as it must.
    """
    message = Shape(event)
    if event.get("object") == "v2.core.event":
        return UNMAPPED
    name = message.text("type")
    noun, _, occasion = name.rpartition(".")
    known = _SINGLE.get(name) or _WHOLE.get(noun)
    if known is None:
        return UNMAPPED
    seen = Observation(account, message.moment("created"), message.text("id"), occasion)
    content = message.child("data").child("object")
    kind, reader = known
    return _read(reader, kind, content, seen)


def normalise_object(
    fields: Mapping[str, object], account: ProviderAccount, fetched_at: datetime, source: str
) -> Reading:
    """The facts of an object as it was fetched, at the provider's time of the answer."""
    content = Shape(fields)
    kind = content.text("object")
    reader = _FETCHED.get(kind)
    if reader is None:
        return UNMAPPED
    return _read(reader, kind, content, Observation(account, fetched_at, source, "fetched"))


def _read(reader: Reader, kind: str, content: Shape, seen: Observation) -> Reading:
    said = content.maybe_text("object")
    if said not in (None, kind):
        raise content.refusal("object", f"{said!r} where a {kind} belongs")
    try:
        return reader(content, seen)
    except UnknownShape:
        raise
    except InvalidInput as refused:
        raise UnknownShape(refused.field, refused.reason) from refused
