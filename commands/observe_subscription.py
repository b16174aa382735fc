"""Taking in what a provider says about a subscription: its items pin the terms of their plans."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from commands.base import Change, Command, Context, Decision, Handlers, Loaded
from commands.homes import find_home, home_of
from ledger import catalog, subscription
from ledger import project as projects
from ledger.errors import InvalidInput, MissingParent
from ledger.events.subscription import ENDED_STATUSES, SubscriptionItem
from ledger.facts import ItemFact, ProviderAccount, SubscriptionFact


class ObserveSubscription(Command):
    fact: SubscriptionFact


def observe_subscription(command: ObserveSubscription, context: Context) -> Decision:
    fact = command.fact
    links = [projects.link_stream(fact.account, item.product) for item in fact.items]
    context.prefetch(projects.link_stream(fact.account, fact.customer), *links)
    link = home_of(context, fact, fact.customer)
    stream = subscription.subscription_id(link.target, fact.account, fact.provider_id)
    homes = [find_home(context, fact, item.product) for item in fact.items]
    context.prefetch(stream, *(home.target for home in homes if home is not None))
    agreement = context.load(subscription.evolve, stream)
    changes = () if agreement.heard(fact) else (_observed(fact, context, link, agreement),)
    return Decision(
        project=link.project,
        owner=link.target,
        changes=changes,
        ids={"customer": str(link.target)},
    )


def _observed(
    fact: SubscriptionFact,
    context: Context,
    link: projects.Link,
    agreement: Loaded[subscription.Subscription],
) -> Change:
    known = agreement.state.items if agreement.state else ()
    # An end is an end whatever the items are: it waits for nothing.
    ending = agreement.state is not None and fact.status in ENDED_STATUSES
    items = known if ending else _items(fact, context, link.project, known)
    events = subscription.observe(agreement.state, fact, customer=link.target, items=items)
    return agreement.then(events)


def _items(
    fact: SubscriptionFact,
    context: Context,
    project: UUID,
    known: tuple[SubscriptionItem, ...],
) -> tuple[SubscriptionItem, ...]:
    homes = {item.product: home_of(context, fact, item.product) for item in fact.items}
    if any(home.project != project for home in homes.values()):
        raise InvalidInput("product", "belongs to another project than the customer")
    pinned = {item.provider_id: item for item in known}
    return tuple(
        _item(context, fact.account, item, homes[item.product], pinned.get(item.provider_id))
        for item in sorted(fact.items, key=lambda item: item.provider_id)
    )


def _item(
    context: Context,
    account: ProviderAccount,
    item: ItemFact,
    home: projects.Link,
    pinned: SubscriptionItem | None,
) -> SubscriptionItem:
    """The item with the plan terms it has pinned, or those of its plan's present version.

    A plan that promised nothing yet has pinned nothing.
    """
    price = catalog.price_id(home.project, account, item.price)
    if pinned is not None and pinned.price == price and pinned.terms:
        return replace(
            pinned,
            amount=item.amount,
            interval=item.interval,
            quantity=item.quantity,
            period=item.period,
        )
    product = context.load(catalog.evolve_product, home.target).state
    if product is None:
        raise MissingParent(":".join(account.parts(item.product)))
    plan = context.load(catalog.evolve_plan, catalog.plan_id(home.project, product.plan)).state
    if plan is None:
        raise MissingParent(f"plan:{home.project}:{product.plan}")
    return SubscriptionItem(
        provider_id=item.provider_id,
        price=price,
        plan=plan.key,
        plan_version=plan.version,
        terms=plan.terms,
        grace_days=plan.grace_days,
        leeway_hours=plan.leeway_hours,
        amount=item.amount,
        interval=item.interval,
        quantity=item.quantity,
        period=item.period,
    )


HANDLERS: Handlers = {ObserveSubscription: observe_subscription}
