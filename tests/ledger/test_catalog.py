"""The catalog: features with one kind for ever, plans in versions, products and prices."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ledger import catalog
from ledger.errors import InvalidInput, NotFound
from ledger.events.base import Decided
from ledger.events.catalog import (
    Feature,
    FeatureDefined,
    FeatureKind,
    FeatureTerm,
    FeatureValue,
    MergeRule,
    PlanDefined,
    PricePublished,
    PriceRestored,
    PriceRetired,
    ProductChanged,
    ProductPublished,
    ProductRestored,
    ProductRetired,
)
from ledger.facts import PriceFact, ProductFact, ProviderAccount
from ledger.ids import owner_id
from ledger.money import Money
from ledger.period import Interval, Unit
from tests.given import When, day, given, on

ACCOUNT = ProviderAccount("stripe", "acct_1", livemode=False)
PRODUCT = owner_id("product", "basic")
SEATS = Feature(key="seats", kind=FeatureKind.LIMIT, merge=MergeRule.MAX)
EXPORT = Feature(key="export", kind=FeatureKind.BOOLEAN, merge=MergeRule.ANY)
TIER = Feature(
    key="tier", kind=FeatureKind.ENUM, merge=MergeRule.HIGHEST, ranks=("low", "mid", "top")
)
THEME = Feature(key="theme", kind=FeatureKind.CONFIG, merge=MergeRule.LATEST)


@pytest.mark.parametrize(
    ("text", "feature", "value"),
    [
        ("true", replace(EXPORT, key="f"), True),
        ("false", replace(EXPORT, key="f"), False),
        ("25", replace(SEATS, key="f"), 25),
        ("unlimited", replace(SEATS, key="f"), None),
        ("mid in low<mid < top", replace(TIER, key="f"), "mid"),
        ('{"b": 1, "a": [true]}', replace(THEME, key="f"), '{"a":[true],"b":1}'),
    ],
)
def test_a_text_declares_a_feature_and_its_value(
    text: str, feature: Feature, value: FeatureValue
) -> None:
    assert catalog.read_term("f", text, None) == FeatureTerm(feature=feature, value=value)


@pytest.mark.parametrize(
    ("text", "known", "value"),
    [
        ("5", SEATS, 5),
        ("top", TIER, "top"),
        ("low in low<top", TIER, "low"),
        ("true", EXPORT, True),
    ],
)
def test_a_known_feature_fixes_what_a_text_means(
    text: str, known: Feature, value: FeatureValue
) -> None:
    term = catalog.read_term(known.key, text, known)
    assert (term.feature.kind, term.value) == (known.kind, value)


@pytest.mark.parametrize(
    ("text", "known"),
    [
        ("many", SEATS),
        ("-1", SEATS),
        ("٣", SEATS),
        ("9" * 17, SEATS),
        ("yes", EXPORT),
        ("best", TIER),
        ("{broken", THEME),
        ("gold", None),
        ("gold in silver<bronze", None),
        ("", None),
    ],
)
def test_a_text_that_is_no_value_is_refused(text: str, known: Feature | None) -> None:
    with pytest.raises(InvalidInput):
        catalog.read_term("f", text, known)


@pytest.mark.parametrize(
    ("feature", "good", "bad"),
    [
        (EXPORT, [True, False], [1, "true", None]),
        (SEATS, [0, 5, None], [-1, True, "5"]),
        (TIER, ["low", "top"], ["best", None, 1]),
        (THEME, ["{}"], [None, 1, True]),
    ],
)
def test_a_feature_knows_its_values(
    feature: Feature, good: list[FeatureValue], bad: list[FeatureValue]
) -> None:
    assert [feature.check(value) for value in good] == good
    for value in bad:
        with pytest.raises(InvalidInput):
            feature.check(value)


@pytest.mark.parametrize(
    ("kind", "merge", "ranks"),
    [
        (FeatureKind.BOOLEAN, MergeRule.SUM, ()),
        (FeatureKind.CONFIG, MergeRule.MAX, ()),
        (FeatureKind.ENUM, MergeRule.HIGHEST, ()),
        (FeatureKind.LIMIT, MergeRule.MAX, ("a",)),
    ],
)
def test_a_merge_rule_and_ranks_fit_the_kind(
    kind: FeatureKind, merge: MergeRule, ranks: tuple[str, ...]
) -> None:
    with pytest.raises(InvalidInput):
        Feature(key="f", kind=kind, merge=merge, ranks=ranks)


def test_a_feature_may_merge_otherwise_but_never_be_of_another_kind() -> None:
    def defines(feature: Feature) -> When[Feature | None]:
        return given(catalog.evolve_feature, on(0, FeatureDefined(feature=SEATS))).when(
            lambda state: catalog.define_feature(state, feature, day(1))
        )

    summed = replace(SEATS, merge=MergeRule.SUM)
    defines(SEATS).then()
    defines(summed).then(on(1, FeatureDefined(feature=summed)))
    defines(replace(EXPORT, key="seats")).refused(InvalidInput, field="kind")


def plan(version: int, value: int, grace: int = 7) -> Decided:
    return on(
        0,
        PlanDefined(
            key="basic",
            plan_version=version,
            terms=(FeatureTerm(feature=SEATS, value=value),),
            grace_days=grace,
            leeway_hours=24,
        ),
    )


def defines_plan(
    *history: Decided, value: int, grace: int | None = None
) -> When[catalog.Plan | None]:
    return given(catalog.evolve_plan, *history).when(
        lambda state: catalog.define_plan(
            state,
            key="basic",
            terms=(FeatureTerm(feature=SEATS, value=value),),
            grace_days=grace,
            leeway_hours=None,
            now=day(0),
        )
    )


def test_a_plan_has_a_new_version_when_it_changes_and_only_then() -> None:
    defines_plan(value=5).then(plan(1, 5))
    defines_plan(plan(1, 5), value=5).then()
    defines_plan(plan(1, 5), value=9).then(plan(2, 9))
    defines_plan(plan(1, 5), plan(2, 9), value=9, grace=3).then(plan(3, 9, grace=3))
    defines_plan(plan(1, 5, grace=3), value=9).then(plan(2, 9, grace=3))


def test_patience_is_never_negative() -> None:
    defines_plan(value=5, grace=-1).refused(InvalidInput, field="policy")


PUBLISHED = on(0, ProductPublished(provider_id="prod_1", name="Basic", plan="basic"))
PRICED = on(
    0,
    PricePublished(
        provider_id="price_1",
        product=PRODUCT,
        amount=Money(1000, "usd"),
        interval=Interval(Unit.MONTH, 3),
    ),
)


def product(
    observed: int, *, name: str = "Basic", active: bool = True, deleted: bool = False
) -> ProductFact:
    return ProductFact(
        account=ACCOUNT,
        provider_id="prod_1",
        observed_at=day(observed),
        source="evt",
        project=None,
        name=name,
        plan="basic",
        features=(),
        grace_days=None,
        leeway_hours=None,
        active=active,
        deleted=deleted,
    )


def price(observed: int, *, active: bool = True, deleted: bool = False) -> PriceFact:
    return PriceFact(
        account=ACCOUNT,
        provider_id="price_1",
        observed_at=day(observed),
        source="evt",
        product="prod_1",
        amount=Money(1000, "usd"),
        interval=Interval(Unit.MONTH, 3),
        active=active,
        deleted=deleted,
    )


def hears_product(*history: Decided, say: ProductFact) -> When[catalog.Product | None]:
    return given(catalog.evolve_product, *history).when(
        lambda state: catalog.observe_product(state, say)
    )


def hears_price(*history: Decided, say: PriceFact) -> When[catalog.Price | None]:
    return given(catalog.evolve_price, *history).when(
        lambda state: catalog.observe_price(state, say, PRODUCT)
    )


def test_a_product_is_published_changed_retired_and_restored() -> None:
    retired = on(2, ProductRetired(deleted=False))
    hears_product(say=product(0)).then(PUBLISHED)
    hears_product(PUBLISHED, say=product(1)).then()
    hears_product(PUBLISHED, say=product(1, name="Basics")).then(
        on(1, ProductChanged(name="Basics", plan="basic"))
    )
    hears_product(PUBLISHED, say=product(2, active=False)).then(retired)
    hears_product(PUBLISHED, retired, say=product(3)).then(on(3, ProductRestored()))
    hears_product(PUBLISHED, retired, say=product(1)).then()


def test_a_deleted_product_stays_deleted() -> None:
    deleted = on(2, ProductRetired(deleted=True))
    hears_product(PUBLISHED, say=product(2, deleted=True)).then(deleted)
    hears_product(PUBLISHED, deleted, say=product(3)).then()


def test_a_price_is_published_retired_and_restored_with_the_same_terms() -> None:
    retired = on(2, PriceRetired(deleted=False))
    hears_price(say=price(0)).then(PRICED)
    hears_price(PRICED, say=price(1)).then()
    hears_price(PRICED, say=price(2, active=False)).then(retired)
    hears_price(PRICED, retired, say=price(3)).then(on(3, PriceRestored()))


def test_a_deleted_price_stays_deleted() -> None:
    deleted = on(2, PriceRetired(deleted=True))
    hears_price(PRICED, say=price(2, active=False, deleted=True)).then(deleted)
    hears_price(PRICED, deleted, say=price(3)).then()


def test_history_begins_with_a_publication() -> None:
    with pytest.raises(NotFound):
        given(catalog.evolve_product, on(0, ProductRestored()))
    with pytest.raises(NotFound):
        given(catalog.evolve_price, on(0, PriceRestored()))
