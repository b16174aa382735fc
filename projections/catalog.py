"""The catalog as it is sold: features, plans in all their versions, products and prices."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

from msgspec.structs import replace

from ledger.events.base import Event, RecordedEvent
from ledger.events.catalog import (
    Feature,
    FeatureDefined,
    FeatureTerm,
    PlanDefined,
    PricePublished,
    PriceRestored,
    PriceRetired,
    ProductChanged,
    ProductPublished,
    ProductRestored,
    ProductRetired,
)
from ledger.ids import bucket_in
from ledger.period import Interval
from projections.base import Batch, Projection, Tables, fold
from projections.table import Database, Key, ReadRow, Table


class CatalogFeature(ReadRow, frozen=True):
    """A feature as it is defined at present."""

    bucket: int
    id: UUID
    project: UUID
    key: str
    feature: Feature
    position: int


class CatalogPlan(ReadRow, frozen=True):
    """One version of a plan."""

    bucket: int
    id: UUID
    plan_version: int
    project: UUID
    key: str
    terms: tuple[FeatureTerm, ...]
    grace_days: int
    leeway_hours: int
    defined_at: datetime
    position: int


class Product(ReadRow, frozen=True):
    """What is sold; `plan` is what buying it gives."""

    bucket: int
    id: UUID
    project: UUID
    provider_id: str | None
    name: str
    plan: str
    on_sale: bool
    deleted: bool
    position: int


class Price(ReadRow, frozen=True):
    """Terms of sale; `amount` in minor units of `currency`, none where tiers decide."""

    bucket: int
    id: UUID
    project: UUID
    provider_id: str | None
    product: UUID
    amount: int | None
    currency: str | None
    interval: Interval | None
    on_offer: bool
    deleted: bool
    position: int


FEATURE: Final = Table(
    "feature",
    CatalogFeature,
    {
        "bucket": "smallint NOT NULL",
        "id": "uuid NOT NULL",
        "project": "uuid NOT NULL",
        "key": "text NOT NULL",
        "feature": "jsonb NOT NULL",
        "position": "bigint NOT NULL",
    },
    key=("bucket", "id"),
    indexes=("(bucket, project)",),
    documents={"feature": Feature},
)

PLAN: Final = Table(
    "plan",
    CatalogPlan,
    {
        "bucket": "smallint NOT NULL",
        "id": "uuid NOT NULL",
        "plan_version": "integer NOT NULL",
        "project": "uuid NOT NULL",
        "key": "text NOT NULL",
        "terms": "jsonb NOT NULL",
        "grace_days": "integer NOT NULL",
        "leeway_hours": "integer NOT NULL",
        "defined_at": "timestamptz NOT NULL",
        "position": "bigint NOT NULL",
    },
    key=("bucket", "id", "plan_version"),
    indexes=("(bucket, project, key, plan_version)",),
    documents={"terms": tuple[FeatureTerm, ...]},
)

PRODUCT: Final = Table(
    "product",
    Product,
    {
        "bucket": "smallint NOT NULL",
        "id": "uuid NOT NULL",
        "project": "uuid NOT NULL",
        "provider_id": "text",
        "name": "text NOT NULL",
        "plan": "text NOT NULL",
        "on_sale": "boolean NOT NULL",
        "deleted": "boolean NOT NULL",
        "position": "bigint NOT NULL",
    },
    key=("bucket", "id"),
    indexes=("(bucket, project, id)", "(provider_id)"),
)

PRICE: Final = Table(
    "price",
    Price,
    {
        "bucket": "smallint NOT NULL",
        "id": "uuid NOT NULL",
        "project": "uuid NOT NULL",
        "provider_id": "text",
        "product": "uuid NOT NULL",
        "amount": "bigint",
        "currency": "text",
        "interval": "jsonb NOT NULL",
        "on_offer": "boolean NOT NULL",
        "deleted": "boolean NOT NULL",
        "position": "bigint NOT NULL",
    },
    key=("bucket", "id"),
    indexes=("(bucket, project, id)", "(provider_id)"),
    documents={"interval": Interval | None},
)

_OF_PLANS: Final = (PlanDefined,)
_OF_PRODUCTS: Final = (ProductPublished, ProductChanged, ProductRetired, ProductRestored)
_OF_PRICES: Final = (PricePublished, PriceRetired, PriceRestored)


def _feature_step(row: CatalogFeature | None, recorded: RecordedEvent) -> CatalogFeature | None:
    event = recorded.event
    assert isinstance(event, FeatureDefined)
    return CatalogFeature(
        recorded.bucket,
        recorded.stream,
        recorded.project,
        event.feature.key,
        event.feature,
        recorded.position,
    )


def _plan_step(row: CatalogPlan | None, recorded: RecordedEvent) -> CatalogPlan | None:
    event = recorded.event
    assert isinstance(event, PlanDefined)
    return CatalogPlan(
        bucket=recorded.bucket,
        id=recorded.stream,
        plan_version=event.plan_version,
        project=recorded.project,
        key=event.key,
        terms=event.terms,
        grace_days=event.grace_days,
        leeway_hours=event.leeway_hours,
        defined_at=recorded.effective_at,
        position=recorded.position,
    )


def _plan_key(recorded: RecordedEvent) -> Key:
    assert isinstance(recorded.event, PlanDefined)
    return (recorded.bucket, recorded.stream, recorded.event.plan_version)


def _product_step(row: Product | None, recorded: RecordedEvent) -> Product | None:
    event = recorded.event
    if isinstance(event, ProductPublished):
        return Product(
            bucket=recorded.bucket,
            id=recorded.stream,
            project=recorded.project,
            provider_id=event.provider_id,
            name=event.name,
            plan=event.plan,
            on_sale=True,
            deleted=False,
            position=recorded.position,
        )
    if row is None:
        return None
    row = replace(row, position=recorded.position)
    match event:
        case ProductChanged(name=name, plan=plan):
            return replace(row, name=name, plan=plan)
        case ProductRetired(deleted=deleted):
            return replace(row, on_sale=False, deleted=row.deleted or deleted)
        case ProductRestored():
            return replace(row, on_sale=True)
    return row


def _price_step(row: Price | None, recorded: RecordedEvent) -> Price | None:
    event = recorded.event
    if isinstance(event, PricePublished):
        return Price(
            bucket=recorded.bucket,
            id=recorded.stream,
            project=recorded.project,
            provider_id=event.provider_id,
            product=event.product,
            amount=event.amount.amount if event.amount else None,
            currency=event.amount.currency if event.amount else None,
            interval=event.interval,
            on_offer=True,
            deleted=False,
            position=recorded.position,
        )
    if row is None:
        return None
    row = replace(row, position=recorded.position)
    match event:
        case PriceRetired(deleted=deleted):
            return replace(row, on_offer=False, deleted=row.deleted or deleted)
        case PriceRestored():
            return replace(row, on_offer=True)
    return row


def _apply(tables: Tables, batch: Batch) -> None:
    fold(tables, FEATURE, _only(batch, (FeatureDefined,)), _feature_step)
    fold(tables, PLAN, _only(batch, _OF_PLANS), _plan_step, _plan_key)
    fold(tables, PRODUCT, _only(batch, _OF_PRODUCTS), _product_step)
    fold(tables, PRICE, _only(batch, _OF_PRICES), _price_step)


def _only(batch: Batch, kinds: tuple[type[Event], ...]) -> Batch:
    return [recorded for recorded in batch if isinstance(recorded.event, kinds)]


CATALOG: Final = Projection(
    name="catalog",
    version=1,
    tables=(FEATURE, PLAN, PRODUCT, PRICE),
    listens=frozenset({FeatureDefined, *_OF_PLANS, *_OF_PRODUCTS, *_OF_PRICES}),
    apply=_apply,
)


def features(connection: Database, project: UUID) -> list[CatalogFeature]:
    """All features of a project, by key."""
    return FEATURE.select(
        connection, "WHERE bucket = %s AND project = %s ORDER BY key", (bucket_in(project), project)
    )


def feature(connection: Database, project: UUID, key: str) -> CatalogFeature | None:
    """The feature of a project with this key."""
    found = FEATURE.select(
        connection,
        "WHERE bucket = %s AND project = %s AND key = %s",
        (bucket_in(project), project, key),
    )
    return found[0] if found else None


def plans(connection: Database, project: UUID) -> list[CatalogPlan]:
    """The present version of each plan of a project, by key."""
    return PLAN.select(
        connection,
        "WHERE bucket = %s AND project = %s AND plan_version = ("
        "SELECT max(later.plan_version) FROM read_model.plan AS later "
        "WHERE later.bucket = plan.bucket AND later.id = plan.id) ORDER BY key",
        (bucket_in(project), project),
    )


def plan_versions(connection: Database, project: UUID, key: str) -> list[CatalogPlan]:
    """All versions of a plan, the first first."""
    return PLAN.select(
        connection,
        "WHERE bucket = %s AND project = %s AND key = %s ORDER BY plan_version",
        (bucket_in(project), project, key),
    )


def products(
    connection: Database, project: UUID, *, limit: int, after: UUID | None = None
) -> list[Product]:
    """Products of a project by id, beyond `after`."""
    return PRODUCT.select(
        connection,
        "WHERE bucket = %s AND project = %s AND id > %s ORDER BY id LIMIT %s",
        (bucket_in(project), project, after or UUID(int=0), limit),
    )


def prices(
    connection: Database, project: UUID, *, limit: int, after: UUID | None = None
) -> list[Price]:
    """Prices of a project by id, beyond `after`."""
    return PRICE.select(
        connection,
        "WHERE bucket = %s AND project = %s AND id > %s ORDER BY id LIMIT %s",
        (bucket_in(project), project, after or UUID(int=0), limit),
    )
