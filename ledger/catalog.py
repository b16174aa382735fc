"""The catalog's deciders: features, plans in versions, products and prices."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from ledger.errors import InvalidInput, NotFound
from ledger.events.base import Decided, Event, Happening
from ledger.events.catalog import (
    DEFAULT_MERGE,
    Feature,
    FeatureDefined,
    FeatureKind,
    FeatureTerm,
    PlanDefined,
    PricePublished,
    PriceRestored,
    PriceRetired,
    ProductChanged,
    ProductPublished,
    ProductRestored,
    ProductRetired,
    canonical_document,
)
from ledger.facts import PriceFact, ProductFact, ProviderAccount
from ledger.ids import bucket_in, derived_id

DEFAULT_GRACE_DAYS = 7
DEFAULT_LEEWAY_HOURS = 24
_LARGEST_LIMIT = 2**53 - 1  # what every JSON reader keeps exactly


def feature_id(project: UUID, key: str) -> UUID:
    """The id of a project's feature."""
    return derived_id(bucket_in(project), str(project), "feature", key)


def plan_id(project: UUID, key: str) -> UUID:
    """The id of a project's plan."""
    return derived_id(bucket_in(project), str(project), "plan", key)


def product_id(project: UUID, account: ProviderAccount, provider_id: str) -> UUID:
    """The id of a product that a provider sells for a project."""
    return derived_id(bucket_in(project), str(project), "product", *account.parts(provider_id))


def price_id(project: UUID, account: ProviderAccount, provider_id: str) -> UUID:
    """The id of a price at a provider."""
    return derived_id(bucket_in(project), str(project), "price", *account.parts(provider_id))


def evolve_feature(state: Feature | None, happened: Happening) -> Feature:
    match happened.event:
        case FeatureDefined(feature=feature):
            return feature
    if state is None:
        raise NotFound("feature", "without a beginning")
    return state


def define_feature(state: Feature | None, feature: Feature, now: datetime) -> tuple[Decided, ...]:
    """A feature, new or defined anew; its kind can never change."""
    if state == feature:
        return ()
    if state is not None and state.kind is not feature.kind:
        raise InvalidInput("kind", f"feature {feature.key} is {state.kind} for ever")
    return (Decided(FeatureDefined(feature=feature), now),)


def read_term(key: str, text: str, known: Feature | None) -> FeatureTerm:
    """The term a text declares, as a provider's metadata has it.

    `true` and `false` are booleans, digits and `unlimited` limits, `{…}` a config document, and
    `VALUE in LOWEST<…<HIGHEST` an enum with its ranks. A known feature fixes the kind.
    """
    value, _, ranks_text = text.partition(" in ")
    ranks = tuple(rank.strip() for rank in ranks_text.split("<")) if ranks_text else ()
    kind = known.kind if known else _kind_of(text, ranks)
    feature = known or Feature(key=key, kind=kind, merge=DEFAULT_MERGE[kind], ranks=ranks)
    if ranks and known and known.kind is FeatureKind.ENUM:
        feature = replace(known, ranks=ranks)
    return FeatureTerm(feature=feature, value=feature.check(_value(kind, key, value.strip(), text)))


def _kind_of(text: str, ranks: tuple[str, ...]) -> FeatureKind:
    if ranks:
        return FeatureKind.ENUM
    if text in ("true", "false"):
        return FeatureKind.BOOLEAN
    if text == "unlimited" or (text.isascii() and text.isdigit()):
        return FeatureKind.LIMIT
    return FeatureKind.CONFIG


def _value(kind: FeatureKind, key: str, value: str, text: str) -> bool | int | str | None:
    if kind is FeatureKind.BOOLEAN and value in ("true", "false"):
        return value == "true"
    if kind is FeatureKind.LIMIT and value == "unlimited":
        return None
    if kind is FeatureKind.LIMIT and value.isascii() and value.isdigit() and len(value) <= 16:
        return min(int(value), _LARGEST_LIMIT)
    if kind is FeatureKind.ENUM:
        return value
    if kind is FeatureKind.CONFIG:
        return canonical_document(key, text)
    raise InvalidInput(key, f"{text!r} is no {kind} value")


@dataclass(frozen=True, slots=True)
class Plan:
    """The present version of a plan."""

    key: str
    version: int
    terms: tuple[FeatureTerm, ...]
    grace_days: int
    leeway_hours: int
    defined_at: datetime | None = field(default=None, compare=False)


def evolve_plan(state: Plan | None, happened: Happening) -> Plan:
    match happened.event:
        case PlanDefined() as event:
            return Plan(
                event.key,
                event.plan_version,
                event.terms,
                event.grace_days,
                event.leeway_hours,
                happened.effective_at,
            )
    if state is None:
        raise NotFound("plan", "without a beginning")
    return state


def define_plan(
    state: Plan | None,
    *,
    key: str,
    terms: tuple[FeatureTerm, ...],
    grace_days: int | None,
    leeway_hours: int | None,
    now: datetime,
) -> tuple[Decided, ...]:
    """The next version of a plan, when it differs from the present one; None keeps a policy.

    What is older than the present version changes nothing.
    """
    if state is not None and state.defined_at is not None and now < state.defined_at:
        return ()
    grace = _kept(grace_days, state.grace_days if state else None, DEFAULT_GRACE_DAYS)
    leeway = _kept(leeway_hours, state.leeway_hours if state else None, DEFAULT_LEEWAY_HOURS)
    if grace < 0 or leeway < 0:
        raise InvalidInput("policy", "grace and leeway are never negative")
    ordered = tuple(sorted(terms, key=lambda term: term.feature.key))
    version = state.version if state else 0
    wanted = Plan(key, version, ordered, grace, leeway)
    if wanted == state:
        return ()
    defined = PlanDefined(
        key=key, plan_version=version + 1, terms=ordered, grace_days=grace, leeway_hours=leeway
    )
    return (Decided(defined, now),)


def _kept(wanted: int | None, present: int | None, default: int) -> int:
    if wanted is not None:
        return wanted
    return default if present is None else present


@dataclass(frozen=True, slots=True)
class Product:
    """A product as its events leave it; `heard_at` is the provider's time of the last news."""

    name: str
    plan: str
    on_sale: bool
    deleted: bool
    heard_at: datetime


def evolve_product(state: Product | None, happened: Happening) -> Product:
    event, at = happened.event, happened.effective_at
    if isinstance(event, ProductPublished):
        return Product(event.name, event.plan, on_sale=True, deleted=False, heard_at=at)
    if state is None:
        raise NotFound("product", "without a beginning")
    state = replace(state, heard_at=max(at, state.heard_at))
    match event:
        case ProductChanged(name=name, plan=plan):
            return replace(state, name=name, plan=plan)
        case ProductRetired(deleted=deleted):
            return replace(state, on_sale=False, deleted=state.deleted or deleted)
        case ProductRestored():
            return replace(state, on_sale=True)
    return state


def observe_product(state: Product | None, fact: ProductFact) -> tuple[Decided, ...]:
    """What a provider's statement about its product changes; a deleted product stays deleted."""
    if state is not None and (state.deleted or fact.observed_at < state.heard_at):
        return ()
    news: list[Event] = []
    plan = fact.plan or fact.provider_id
    if state is None:
        news.append(ProductPublished(provider_id=fact.provider_id, name=fact.name, plan=plan))
    elif not fact.deleted and (state.name, state.plan) != (fact.name, plan):
        news.append(ProductChanged(name=fact.name, plan=plan))
    on_sale = state.on_sale if state else True
    if fact.deleted or (on_sale and not fact.active):
        news.append(ProductRetired(deleted=fact.deleted))
    elif fact.active and not on_sale:
        news.append(ProductRestored())
    return tuple(Decided(event, fact.observed_at) for event in news)


@dataclass(frozen=True, slots=True)
class Price:
    """A price as its events leave it."""

    product: UUID
    on_offer: bool
    deleted: bool
    heard_at: datetime


def evolve_price(state: Price | None, happened: Happening) -> Price:
    event, at = happened.event, happened.effective_at
    if isinstance(event, PricePublished):
        return Price(event.product, on_offer=True, deleted=False, heard_at=at)
    if state is None:
        raise NotFound("price", "without a beginning")
    state = replace(state, heard_at=max(at, state.heard_at))
    match event:
        case PriceRetired(deleted=deleted):
            return replace(state, on_offer=False, deleted=state.deleted or deleted)
        case PriceRestored():
            return replace(state, on_offer=True)
    return state


def observe_price(state: Price | None, fact: PriceFact, product: UUID) -> tuple[Decided, ...]:
    """What a provider's statement about its price changes; its terms never change."""
    if state is not None and (state.deleted or fact.observed_at < state.heard_at):
        return ()
    news: list[Event] = []
    if state is None:
        news.append(
            PricePublished(
                provider_id=fact.provider_id,
                product=product,
                amount=fact.amount,
                interval=fact.interval,
            )
        )
    on_offer = state.on_offer if state else True
    if fact.deleted or (on_offer and not fact.active):
        news.append(PriceRetired(deleted=fact.deleted))
    elif fact.active and not on_offer:
        news.append(PriceRestored())
    return tuple(Decided(event, fact.observed_at) for event in news)


def evolve_published(state: bool | None, happened: Happening) -> bool:
    """Whether a price has ever been published; once it has, that stays so."""
    return bool(state) or isinstance(happened.event, PricePublished)


def declared_terms(
    fact: ProductFact, known: Mapping[str, Feature | None]
) -> tuple[FeatureTerm, ...]:
    """The terms a product's metadata declares for its plan."""
    return tuple(read_term(key, text, known.get(key)) for key, text in fact.features)
