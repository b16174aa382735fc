"""The catalog: features, what plans grant of them, products and prices."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from ledger.errors import InvalidInput
from ledger.events.base import Event, event
from ledger.money import Money
from ledger.period import Interval

FeatureValue = bool | int | str | None


class FeatureKind(StrEnum):
    """What a feature's value is."""

    BOOLEAN = "boolean"  # true or false
    LIMIT = "limit"  # a whole number of units; none means unlimited
    ENUM = "enum"  # one of the ranks, lowest first
    CONFIG = "config"  # a JSON document, kept as its text


class MergeRule(StrEnum):
    """How values of one feature from several sources become one."""

    ANY = "any"  # boolean: true when any source says so
    MAX = "max"  # limit: the largest, unlimited above all
    SUM = "sum"  # limit: added up, unlimited when any is
    HIGHEST = "highest"  # enum: the highest rank
    LATEST = "latest"  # the source that began last


DEFAULT_MERGE = {
    FeatureKind.BOOLEAN: MergeRule.ANY,
    FeatureKind.LIMIT: MergeRule.MAX,
    FeatureKind.ENUM: MergeRule.HIGHEST,
    FeatureKind.CONFIG: MergeRule.LATEST,
}
_MERGES = {
    FeatureKind.BOOLEAN: {MergeRule.ANY, MergeRule.LATEST},
    FeatureKind.LIMIT: {MergeRule.MAX, MergeRule.SUM, MergeRule.LATEST},
    FeatureKind.ENUM: {MergeRule.HIGHEST, MergeRule.LATEST},
    FeatureKind.CONFIG: {MergeRule.LATEST},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Feature:
    """A capability that plans and grants give; an enum feature names its ranks, lowest first."""

    key: str
    kind: FeatureKind
    merge: MergeRule
    ranks: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.merge not in _MERGES[self.kind]:
            raise InvalidInput("merge", f"{self.merge} does not merge a {self.kind} feature")
        if (self.kind is FeatureKind.ENUM) != bool(self.ranks):
            raise InvalidInput("ranks", "an enum feature has ranks, no other has")

    def check(self, value: FeatureValue) -> FeatureValue:
        """The value, when it is one of this feature's; InvalidInput otherwise."""
        if self.kind is FeatureKind.BOOLEAN and isinstance(value, bool):
            return value
        if self.kind is FeatureKind.LIMIT and (
            value is None or (isinstance(value, int) and not isinstance(value, bool) and value >= 0)
        ):
            return value
        if self.kind is FeatureKind.ENUM and value in self.ranks:
            return value
        if self.kind is FeatureKind.CONFIG and isinstance(value, str):
            return canonical_document("value", value)
        raise InvalidInput("value", f"{value!r} is no value of the {self.kind} feature {self.key}")


def canonical_document(field: str, text: str) -> str:
    """A JSON object's text in its one spelling; InvalidInput when it is none."""
    try:
        document = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise InvalidInput(field, "is no JSON document") from None
    if not isinstance(document, dict):
        raise InvalidInput(field, "is no JSON object")
    return json.dumps(document, sort_keys=True, separators=(",", ":"))


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureTerm:
    """A feature together with the value some source gives for it."""

    feature: Feature
    value: FeatureValue


@event
class FeatureDefined(Event):
    """A feature came into the catalog, or was defined anew."""

    NAME: ClassVar[str] = "feature.defined"
    feature: Feature


@event
class ProductPublished(Event):
    """Something began to be sold; `plan` is the plan that buying it gives."""

    NAME: ClassVar[str] = "product.published"
    provider_id: str | None
    name: str
    plan: str


@event
class ProductChanged(Event):
    """A product was renamed or now gives another plan."""

    NAME: ClassVar[str] = "product.changed"
    name: str
    plan: str


@event
class ProductRetired(Event):
    """A product is no longer sold; what was bought stays."""

    NAME: ClassVar[str] = "product.retired"
    deleted: bool


@event
class ProductRestored(Event):
    """A retired product is sold again."""

    NAME: ClassVar[str] = "product.restored"


@event
class PlanDefined(Event):
    """A version of a plan: what it grants, and the patience it has.

    `plan_version` counts from 1. `grace_days` is how long a past-due subscription keeps access;
    `leeway_hours` how long access outlives a paid period whose renewal has not been heard of.
    """

    NAME: ClassVar[str] = "plan.defined"
    key: str
    plan_version: int
    terms: tuple[FeatureTerm, ...]
    grace_days: int
    leeway_hours: int


@event
class PricePublished(Event):
    """Immutable terms at which a product is sold; no interval means once, no amount means tiers."""

    NAME: ClassVar[str] = "price.published"
    provider_id: str | None
    product: UUID
    amount: Money | None
    interval: Interval | None


@event
class PriceRetired(Event):
    """A price is no longer offered; subscriptions on it go on."""

    NAME: ClassVar[str] = "price.retired"
    deleted: bool


@event
class PriceRestored(Event):
    """A retired price is offered again."""

    NAME: ClassVar[str] = "price.restored"
