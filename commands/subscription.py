"""Commands by which our own clock moves a subscription on."""

from __future__ import annotations

from uuid import UUID

from commands.base import Context, Decision, Handlers, ProjectCommand
from ledger import subscription


class EndTrial(ProjectCommand):
    """Record that a trial's end has come."""

    subscription: UUID


class EndGrace(ProjectCommand):
    """Record that the grace of a past-due subscription has run out."""

    subscription: UUID


def end_trial(command: EndTrial, context: Context) -> Decision:
    agreement = context.load(subscription.evolve, command.subscription)
    state = agreement.require("subscription", command.project)
    return Decision(
        project=command.project,
        owner=state.customer,
        changes=(agreement.then(subscription.end_trial(state, context.now)),),
    )


def end_grace(command: EndGrace, context: Context) -> Decision:
    agreement = context.load(subscription.evolve, command.subscription)
    state = agreement.require("subscription", command.project)
    return Decision(
        project=command.project,
        owner=state.customer,
        changes=(agreement.then(subscription.end_grace(state, context.now)),),
    )


HANDLERS: Handlers = {EndTrial: end_trial, EndGrace: end_grace}
