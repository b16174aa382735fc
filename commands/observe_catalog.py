"""Taking in what a provider says about its products and prices."""

from __future__ import annotations

from uuid import UUID

from commands.base import Change, Command, Context, Decision, Handlers, Loaded
from commands.homes import NOWHERE, find_home, home_of
from ledger import catalog
from ledger.events.catalog import Feature
from ledger.facts import PriceFact, ProductFact


class ObserveProduct(Command):
    fact: ProductFact


class ObservePrice(Command):
    fact: PriceFact


class MentionPrice(Command):
    """A price met inside another object: published if never heard of, else left alone.

    Without a home for its product it waits for nothing: what it was met in may.
    """

    fact: PriceFact


def observe_product(command: ObserveProduct, context: Context) -> Decision:
    fact = command.fact
    link = home_of(context, fact, fact.provider_id)
    project = link.project
    plan_key = fact.plan or fact.provider_id
    feature_ids = {key: catalog.feature_id(project, key) for key, _ in fact.features}
    plan_id = catalog.plan_id(project, plan_key)
    context.prefetch(link.target, plan_id, *feature_ids.values())
    product = context.load(catalog.evolve_product, link.target)
    if product.heard(fact):
        return Decision(project=project, owner=project, changes=())
    changes = [product.then(catalog.observe_product(product.state, fact))]
    stale = product.state is not None and fact.observed_at < product.state.heard_at
    if not (fact.deleted or stale):
        known = {
            key: context.load(catalog.evolve_feature, stream) for key, stream in feature_ids.items()
        }
        changes += _plan_changes(context, fact, plan_id, plan_key, known)
    return Decision(project=project, owner=project, changes=tuple(changes))


def _plan_changes(
    context: Context,
    fact: ProductFact,
    plan_id: UUID,
    plan_key: str,
    known: dict[str, Loaded[Feature]],
) -> list[Change]:
    terms = catalog.declared_terms(fact, {key: loaded.state for key, loaded in known.items()})
    changes = [
        known[term.feature.key].then(
            catalog.define_feature(known[term.feature.key].state, term.feature, fact.observed_at)
        )
        for term in terms
    ]
    plan = context.load(catalog.evolve_plan, plan_id)
    # A product that declares nothing leaves a plan alone that was defined otherwise.
    if terms or plan.state is None:
        events = catalog.define_plan(
            plan.state,
            key=plan_key,
            terms=terms,
            grace_days=fact.grace_days,
            leeway_hours=fact.leeway_hours,
            now=fact.observed_at,
        )
        changes.append(plan.then(events))
    return changes


def observe_price(command: ObservePrice, context: Context) -> Decision:
    fact = command.fact
    link = home_of(context, fact, fact.product)
    stream = catalog.price_id(link.project, fact.account, fact.provider_id)
    price = context.load(catalog.evolve_price, stream)
    events = () if price.heard(fact) else catalog.observe_price(price.state, fact, link.target)
    return Decision(project=link.project, owner=link.project, changes=(price.then(events),))


def mention_price(command: MentionPrice, context: Context) -> Decision:
    fact = command.fact
    link = find_home(context, fact, fact.product)
    if link is None:
        return Decision(project=NOWHERE, owner=NOWHERE, changes=())
    stream = catalog.price_id(link.project, fact.account, fact.provider_id)
    if context.load_settled(catalog.evolve_published, stream):
        return Decision(project=link.project, owner=link.project, changes=())
    return observe_price(ObservePrice(fact=fact), context)


HANDLERS: Handlers = {
    ObserveProduct: observe_product,
    ObservePrice: observe_price,
    MentionPrice: mention_price,
}
