"""Stripe's products and prices; a plan is a price of before 2020."""

from __future__ import annotations

from typing import Final

from ledger.facts import PriceFact, ProductFact
from ledger.money import Money
from ledger.period import Interval, Unit
from providers.stripe.normalise.shape import Observation, Shape

_UNITS: Final = {unit.value: unit for unit in Unit}
_MOST_DIGITS: Final = 5


def read_product(product: Shape, seen: Observation) -> tuple[ProductFact]:
    """The product with the plan and features that metadata declares.

    A deleted one may be no more than an id: it then has no name and no plan.
    """
    provider_id = product.text("id")
    deleted = seen.occasion == "deleted" or product.flag("deleted")
    name = product.maybe_text("name")
    if name is None and not deleted:
        raise product.refusal("name", "is missing")
    return (
        ProductFact(
            account=seen.account,
            provider_id=provider_id,
            observed_at=seen.at,
            source=seen.source,
            project=product.metadata("folio_project"),
            name=name or provider_id,
            plan=product.metadata("folio_plan") or (provider_id if name else None),
            features=product.metadata_with_prefix("folio_feature_"),
            grace_days=_count(product, "folio_grace_days"),
            leeway_hours=_count(product, "folio_leeway_hours"),
            active=product.flag("active", default=True) and not deleted,
            deleted=deleted,
        ),
    )


def read_price(price: Shape, seen: Observation) -> tuple[PriceFact]:
    """A price, or a plan, as the subject of a message."""
    deleted = seen.occasion == "deleted" or price.flag("deleted")
    return (price_fact(price, seen, deleted=deleted),)


def price_fact(price: Shape, seen: Observation, *, deleted: bool = False) -> PriceFact:
    """A price wherever it stands: by itself or inside an item."""
    return PriceFact(
        account=seen.account,
        provider_id=price.text("id"),
        observed_at=seen.at,
        source=seen.source,
        product=price.reference("product"),
        amount=_amount(price),
        interval=_interval(price),
        active=price.flag("active", default=True) and not deleted,
        deleted=deleted,
    )


def is_metered(price: Shape) -> bool:
    """Whether use decides the quantity."""
    return (price.maybe_child("recurring") or price).maybe_text("usage_type") == "metered"


def _amount(price: Shape) -> Money | None:
    """What one unit costs; None when tiers, the buyer, or a fraction of a cent decide."""
    field = "unit_amount" if price.has("unit_amount") else "amount"
    return price.money(field, price.currency()) if price.has(field) else None


def _interval(price: Shape) -> Interval | None:
    recurring = price.maybe_child("recurring") or price
    name = recurring.maybe_text("interval")
    if name is None:
        return None
    if name not in _UNITS:
        raise recurring.refusal("interval", f"{name!r} is not a unit we know")
    count = recurring.maybe_whole("interval_count")
    return Interval(_UNITS[name], 1 if count is None else count)


def _count(product: Shape, key: str) -> int | None:
    value = product.metadata(key)
    if value is None:
        return None
    if not (value.isascii() and value.isdigit()) or len(value) > _MOST_DIGITS:
        raise product.refusal(f"metadata.{key}", "is not a count")
    return int(value)
