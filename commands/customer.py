"""Commands on customers."""

from __future__ import annotations

from commands.base import Context, Decision, Handlers, ProjectCommand
from ledger import customer as customers
from ledger import project as projects
from ledger.errors import InvalidInput


class RegisterCustomer(ProjectCommand):
    """Bring a customer into a project, by the app's own user id when it has one."""

    external_id: str | None = None


def register_customer(command: RegisterCustomer, context: Context) -> Decision:
    if command.external_id is not None:
        customer_id = customers.customer_id(command.project, command.external_id)
    elif command.key is not None:
        customer_id = customers.keyed_customer_id(command.project, command.key)
    else:
        raise InvalidInput("external_id", "is needed when there is no idempotency key")
    context.prefetch(command.project, customer_id)
    context.load(projects.evolve_project, command.project).require("project", command.project)
    customer = context.load(customers.evolve, customer_id)
    events = customers.register(customer.state, external_id=command.external_id, now=context.now)
    return Decision(
        project=command.project,
        owner=customer_id,
        changes=(customer.then(events),),
        ids={"customer": str(customer_id)},
    )


HANDLERS: Handlers = {RegisterCustomer: register_customer}
