"""Taking in facts: what the outside says, compared with what we know, becomes events.

A fact about an object that may have no home yet first gives it one (see `homes`), then speaks to
its stream, in the bucket of its owner: work across buckets is a chain of commands, each safe to
repeat.
"""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from commands.base import Change, Command, Context, Decision, Handlers, Loaded
from commands.homes import LinkCustomer, LinkProduct, home_of
from ledger import catalog, invoice, payment, subscription
from ledger import customer as customers
from ledger import project as projects
from ledger.errors import MissingParent
from ledger.events.catalog import Feature
from ledger.events.subscription import SubscriptionItem
from ledger.facts import (
    AllocationFact,
    CheckoutFact,
    CustomerFact,
    Fact,
    InvoiceFact,
    ItemFact,
    PaymentFact,
    PriceFact,
    ProductFact,
    ProviderAccount,
    SubscriptionFact,
)


class ObserveCustomer(Command):
    fact: CustomerFact


class ObserveProduct(Command):
    fact: ProductFact


class ObservePrice(Command):
    fact: PriceFact


class MentionPrice(Command):
    """A price met inside another object: published if never heard of, else left alone."""

    fact: PriceFact


class ObserveCheckout(Command):
    fact: CheckoutFact


class ObserveSubscription(Command):
    fact: SubscriptionFact


class ObserveInvoice(Command):
    fact: InvoiceFact


class ObservePayment(Command):
    fact: PaymentFact


class ObserveAllocation(Command):
    """An allocation names no customer: the caller nominates the one whose invoice it is."""

    fact: AllocationFact
    customer: UUID


def commands_for(fact: Fact, *, mentioned: bool = False) -> tuple[Command, ...]:
    """The chain of commands that takes a fact in; an allocation needs its customer nominated.

    A `mentioned` fact is not what the message is about, only met in it.
    """
    match fact:
        case CustomerFact():
            return (LinkCustomer(fact=fact), ObserveCustomer(fact=fact))
        case ProductFact():
            return (LinkProduct(fact=fact), ObserveProduct(fact=fact))
        case PriceFact():
            return (MentionPrice(fact=fact) if mentioned else ObservePrice(fact=fact),)
        case CheckoutFact():
            return (ObserveCheckout(fact=fact),)
        case SubscriptionFact():
            return (ObserveSubscription(fact=fact),)
        case InvoiceFact():
            return (ObserveInvoice(fact=fact),)
        case PaymentFact():
            return (ObservePayment(fact=fact),)
    raise TypeError(f"no command takes in a {type(fact).__name__}")


def observe_customer(command: ObserveCustomer, context: Context) -> Decision:
    link = home_of(context, command.fact, command.fact.provider_id)
    customer = context.load(customers.evolve, link.target)
    events = customers.observe(customer.state, command.fact)
    return _for_customer(link, customer.then(events))


def _for_customer(link: projects.Link, *changes: Change) -> Decision:
    ids = {"customer": str(link.target)}
    return Decision(project=link.project, owner=link.target, changes=changes, ids=ids)


def observe_product(command: ObserveProduct, context: Context) -> Decision:
    fact = command.fact
    link = home_of(context, fact, fact.provider_id)
    project = link.project
    plan_key = fact.plan or fact.provider_id
    feature_ids = {key: catalog.feature_id(project, key) for key, _ in fact.features}
    plan_id = catalog.plan_id(project, plan_key)
    context.prefetch(link.target, plan_id, *feature_ids.values())
    product = context.load(catalog.evolve_product, link.target)
    product_news = catalog.observe_product(product.state, fact)
    changes = [product.then(product_news)]
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
    events = catalog.observe_price(price.state, fact, link.target)
    return Decision(project=link.project, owner=link.project, changes=(price.then(events),))


def mention_price(command: MentionPrice, context: Context) -> Decision:
    fact = command.fact
    link = home_of(context, fact, fact.product)
    stream = catalog.price_id(link.project, fact.account, fact.provider_id)
    if context.load_settled(catalog.evolve_published, stream):
        return Decision(project=link.project, owner=link.project, changes=())
    return observe_price(ObservePrice(fact=fact), context)


def observe_checkout(command: ObserveCheckout, context: Context) -> Decision:
    fact = command.fact
    link = home_of(context, fact, fact.customer)
    stream = customers.checkout_id(link.target, fact.account, fact.provider_id)
    context.prefetch(link.target, stream)
    customer = context.load(customers.evolve, link.target)
    if customer.state is None:
        raise MissingParent(fact.dependency(fact.customer))
    checkout = context.load(customers.evolve_checkout, stream)
    return _for_customer(
        link,
        customer.then(customers.identify(customer.state, fact)),
        checkout.then(customers.complete_checkout(checkout.state, fact, link.target)),
    )


def observe_subscription(command: ObserveSubscription, context: Context) -> Decision:
    fact = command.fact
    products = {
        item.product: projects.link_stream(fact.account, item.product) for item in fact.items
    }
    context.prefetch(projects.link_stream(fact.account, fact.customer), *products.values())
    link = home_of(context, fact, fact.customer)
    stream = subscription.subscription_id(link.target, fact.account, fact.provider_id)
    homes = {product: home_of(context, fact, product) for product in products}
    context.prefetch(stream, *(home.target for home in homes.values()))
    agreement = context.load(subscription.evolve, stream)
    pinned = {item.provider_id: item for item in agreement.state.items} if agreement.state else {}
    items = tuple(
        _item(context, fact.account, item, homes[item.product], pinned.get(item.provider_id))
        for item in sorted(fact.items, key=lambda item: item.provider_id)
    )
    events = subscription.observe(agreement.state, fact, customer=link.target, items=items)
    return _for_customer(link, agreement.then(events))


def _item(
    context: Context,
    account: ProviderAccount,
    item: ItemFact,
    home: projects.Link,
    pinned: SubscriptionItem | None,
) -> SubscriptionItem:
    """The item with the plan terms it has pinned, or those of its plan's present version."""
    price = catalog.price_id(home.project, account, item.price)
    if pinned is not None and pinned.price == price:
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


def observe_invoice(command: ObserveInvoice, context: Context) -> Decision:
    fact = command.fact
    link = home_of(context, fact, fact.customer)
    stream = invoice.invoice_id(link.target, fact.account, fact.provider_id)
    bill = context.load(invoice.evolve, stream)
    agreement = (
        subscription.subscription_id(link.target, fact.account, fact.subscription)
        if fact.subscription
        else None
    )
    events = invoice.observe(bill.state, fact, customer=link.target, subscription=agreement)
    return _for_customer(link, bill.then(events))


def observe_payment(command: ObservePayment, context: Context) -> Decision:
    fact = command.fact
    link = home_of(context, fact, fact.customer)
    paid = context.load(
        payment.evolve, payment.payment_id(link.target, fact.account, fact.provider_id)
    )
    return _for_customer(link, paid.then(payment.observe(paid.state, fact, customer=link.target)))


def observe_allocation(command: ObserveAllocation, context: Context) -> Decision:
    fact, customer = command.fact, command.customer
    bill_id = invoice.invoice_id(customer, fact.account, fact.invoice)
    paid_id = payment.payment_id(customer, fact.account, fact.payment)
    context.prefetch(bill_id, paid_id)
    bill = context.load(invoice.evolve, bill_id)
    if bill.state is None or bill.project is None:
        raise MissingParent(fact.dependency(fact.invoice))
    paid = context.load(payment.evolve, paid_id)
    events = payment.allocate(paid.state, fact, invoice=bill_id)
    home = projects.Link(target=customer, project=bill.project)
    return _for_customer(home, paid.then(events))


HANDLERS: Handlers = {
    ObserveCustomer: observe_customer,
    ObserveProduct: observe_product,
    ObservePrice: observe_price,
    MentionPrice: mention_price,
    ObserveCheckout: observe_checkout,
    ObserveSubscription: observe_subscription,
    ObserveInvoice: observe_invoice,
    ObservePayment: observe_payment,
    ObserveAllocation: observe_allocation,
}
