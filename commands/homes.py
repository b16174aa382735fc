"""Giving a provider's objects their home: our id for each, and the project it belongs to.

A home is given once, in the bucket of the object's own name, so that any later message finds it by
that name alone.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final
from uuid import UUID

from commands.base import Command, Context, Decision, Handlers
from ledger import catalog
from ledger import customer as customers
from ledger import project as projects
from ledger.errors import MissingParent
from ledger.events.base import Decided
from ledger.events.project import ProviderObjectLinked
from ledger.facts import CustomerFact, Fact, ProductFact, ProviderAccount

NOWHERE: Final = UUID(int=0)
"""Stands where a decision changes nothing and so belongs nowhere."""


class LinkCustomer(Command):
    """Give a provider's customer its home: one of our customers, in a project."""

    fact: CustomerFact


class LinkProduct(Command):
    """Give a provider's product its home in a project's catalog."""

    fact: ProductFact


def home_of(context: Context, fact: Fact, provider_id: str) -> projects.Link:
    """The home of an object a fact speaks of; MissingParent while it has none."""
    link = find_home(context, fact, provider_id)
    if link is None:
        raise MissingParent(fact.dependency(provider_id))
    return link


def find_home(context: Context, fact: Fact, provider_id: str) -> projects.Link | None:
    """The home of an object a fact speaks of, if it has one."""
    return context.load_settled(
        projects.evolve_link, projects.link_stream(fact.account, provider_id)
    )


def link_customer(command: LinkCustomer, context: Context) -> Decision:
    fact = command.fact
    return _link(fact, context, lambda project: _customer_of(context, fact, project))


def link_product(command: LinkProduct, context: Context) -> Decision:
    fact = command.fact
    return _link(
        fact,
        context,
        lambda project: catalog.product_id(project, fact.account, fact.provider_id),
    )


def _link(
    fact: CustomerFact | ProductFact, context: Context, target_in: Callable[[UUID], UUID]
) -> Decision:
    stream = projects.link_stream(fact.account, fact.provider_id)
    known = context.load_settled(projects.evolve_link, stream)
    if known is not None:
        return Decision(project=known.project, owner=stream, changes=())
    project = _project_of(context, fact.account, fact.project)
    event = ProviderObjectLinked(
        provider_id=fact.provider_id, target=target_in(project), home=project
    )
    change = context.load(projects.evolve_link, stream).then((Decided(event, fact.observed_at),))
    return Decision(project=project, owner=stream, changes=(change,))


def _project_of(context: Context, account: ProviderAccount, slug: str | None) -> UUID:
    """The project that the metadata names, else the one that is the account's home.

    Metadata counts only in an account that an operator has connected: anybody may write it.
    """
    home = context.load(projects.evolve_account, projects.account_stream(account)).state
    if home is None:
        raise MissingParent(projects.account_dependency(account))
    if slug is None:
        return home
    project = projects.project_id(slug)
    if context.load(projects.evolve_project, project).state is None:
        raise MissingParent(projects.project_dependency(slug))
    return project


def _customer_of(context: Context, fact: CustomerFact, project: UUID) -> UUID:
    """Our own id from the metadata when it is one, else the app's user id, else the provider's."""
    if fact.customer_id is not None:
        named = context.load(customers.evolve, fact.customer_id)
        if named.state is not None and named.project == project:
            return named.stream
    if fact.external_id is not None:
        return customers.customer_id(project, fact.external_id)
    return customers.provider_customer_id(project, fact.account, fact.provider_id)


HANDLERS: Handlers = {LinkCustomer: link_customer, LinkProduct: link_product}
