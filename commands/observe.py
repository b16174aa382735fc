"""Taking in facts: what the outside says, compared with what we know, becomes events.

A fact about an object that may have no home yet first gives it one (see `homes`), then speaks to
its stream, in the bucket of its owner: work across buckets is a chain of commands, each safe to
repeat.
"""

from __future__ import annotations

from uuid import UUID

from commands.base import Change, Command, Context, Decision, Handlers
from commands.homes import LinkCustomer, LinkProduct, home_of
from commands.observe_catalog import MentionPrice, ObservePrice, ObserveProduct
from commands.observe_subscription import ObserveSubscription
from ledger import customer as customers
from ledger import invoice, payment, subscription
from ledger import project as projects
from ledger.errors import MissingParent
from ledger.facts import (
    AllocationFact,
    CheckoutFact,
    CustomerFact,
    Fact,
    InvoiceFact,
    PaymentFact,
    PriceFact,
    ProductFact,
    SubscriptionFact,
)


class ObserveCustomer(Command):
    fact: CustomerFact


class ObserveCheckout(Command):
    fact: CheckoutFact


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
    ObserveCheckout: observe_checkout,
    ObserveInvoice: observe_invoice,
    ObservePayment: observe_payment,
    ObserveAllocation: observe_allocation,
}
