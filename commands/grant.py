"""Commands by which operators decide what a customer may use."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from commands.base import Context, Decision, Handlers, ProjectCommand
from ledger import catalog, grant
from ledger import customer as customers
from ledger.errors import InvalidInput, NotFound
from ledger.events.catalog import Feature, FeatureKind, FeatureTerm, FeatureValue
from ledger.events.grant import GrantEffect


class GiveGrant(ProjectCommand):
    """Grant, override, block or deny a feature for a customer; a grant always has a key."""

    customer: UUID
    feature: str
    effect: GrantEffect
    value: FeatureValue = True
    starts_at: datetime | None = None
    expires_at: datetime | None = None
    reason: str


class RevokeGrant(ProjectCommand):
    """Take a grant back before its time."""

    grant: UUID
    reason: str


class ExpireGrant(ProjectCommand):
    """Record that a grant's end has come."""

    grant: UUID


def give_grant(command: GiveGrant, context: Context) -> Decision:
    if command.key is None:
        raise InvalidInput("key", "a grant is given under an idempotency key")
    grant_id = grant.grant_id(command.customer, command.key)
    feature_id = catalog.feature_id(command.project, command.feature)
    context.prefetch(command.customer, grant_id, feature_id)
    context.load(customers.evolve, command.customer).require("customer", command.project)
    feature = context.load(catalog.evolve_feature, feature_id).state
    if feature is None:
        raise NotFound("feature", command.feature)
    given = context.load(grant.evolve, grant_id)
    events = grant.give(
        given.state,
        customer=command.customer,
        effect=command.effect,
        term=FeatureTerm(feature=feature, value=_value(command, feature)),
        starts_at=command.starts_at,
        expires_at=command.expires_at,
        reason=command.reason,
        now=context.now,
    )
    return Decision(
        project=command.project,
        owner=command.customer,
        changes=(given.then(events),),
        ids={"grant": str(grant_id), "customer": str(command.customer)},
    )


def _value(command: GiveGrant, feature: Feature) -> FeatureValue:
    # What is taken away has no value of its own: the least the feature can say stands for it.
    if command.effect not in (GrantEffect.BLOCK, GrantEffect.DENY):
        return command.value
    nothing: dict[FeatureKind, FeatureValue] = {
        FeatureKind.BOOLEAN: False,
        FeatureKind.LIMIT: 0,
        FeatureKind.CONFIG: "{}",
    }
    return nothing.get(feature.kind, feature.ranks[0] if feature.ranks else None)


def revoke_grant(command: RevokeGrant, context: Context) -> Decision:
    given = context.load(grant.evolve, command.grant)
    state = given.require("grant", command.project)
    events = grant.revoke(state, reason=command.reason, now=context.now)
    return Decision(
        project=command.project,
        owner=state.customer,
        changes=(given.then(events),),
        ids={"grant": str(command.grant), "customer": str(state.customer)},
    )


def expire_grant(command: ExpireGrant, context: Context) -> Decision:
    given = context.load(grant.evolve, command.grant)
    state = given.require("grant", command.project)
    return Decision(
        project=command.project,
        owner=state.customer,
        changes=(given.then(grant.expire(state, context.now)),),
    )


HANDLERS: Handlers = {GiveGrant: give_grant, RevokeGrant: revoke_grant, ExpireGrant: expire_grant}
