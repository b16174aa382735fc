"""Commands on the catalog of a project."""

from __future__ import annotations

from commands.base import Change, Context, Decision, Handlers, ProjectCommand
from ledger import catalog
from ledger import project as projects
from ledger.errors import NotFound
from ledger.events.catalog import Feature, FeatureTerm, FeatureValue


class DefineFeature(ProjectCommand):
    """Bring a feature into the catalog, or change how its values merge."""

    feature: Feature


class DefinePlan(ProjectCommand):
    """Say what a plan grants, by feature key; a change is the plan's next version."""

    plan: str
    values: dict[str, FeatureValue]
    grace_days: int | None = None
    leeway_hours: int | None = None


def define_feature(command: DefineFeature, context: Context) -> Decision:
    stream = catalog.feature_id(command.project, command.feature.key)
    context.prefetch(command.project, stream)
    context.load(projects.evolve_project, command.project).require("project", command.project)
    feature = context.load(catalog.evolve_feature, stream)
    events = catalog.define_feature(feature.state, command.feature, context.now)
    return _catalog(command, feature.then(events), {"feature": str(stream)})


def define_plan(command: DefinePlan, context: Context) -> Decision:
    stream = catalog.plan_id(command.project, command.plan)
    features = {key: catalog.feature_id(command.project, key) for key in command.values}
    context.prefetch(command.project, stream, *features.values())
    context.load(projects.evolve_project, command.project).require("project", command.project)
    terms = []
    for key, value in command.values.items():
        feature = context.load(catalog.evolve_feature, features[key]).state
        if feature is None:
            raise NotFound("feature", key)
        terms.append(FeatureTerm(feature=feature, value=feature.check(value)))
    plan = context.load(catalog.evolve_plan, stream)
    events = catalog.define_plan(
        plan.state,
        key=command.plan,
        terms=tuple(terms),
        grace_days=command.grace_days,
        leeway_hours=command.leeway_hours,
        now=context.now,
    )
    return _catalog(command, plan.then(events), {"plan": str(stream)})


def _catalog(command: ProjectCommand, change: Change, ids: dict[str, str]) -> Decision:
    return Decision(project=command.project, owner=command.project, changes=(change,), ids=ids)


HANDLERS: Handlers = {DefineFeature: define_feature, DefinePlan: define_plan}
