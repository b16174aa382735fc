"""Commands on projects, apps, API keys and the provider account of a project."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import ClassVar
from uuid import UUID

from commands.base import Change, Command, Context, Decision, Handlers, ProjectCommand
from ledger import project as projects
from ledger.events.base import Decided
from ledger.events.project import Scope
from ledger.facts import ProviderAccount


class CreateProject(Command):
    """Begin a project under a slug of its own."""

    slug: str
    name: str

    def key_scope(self) -> UUID:
        return projects.project_id(projects.check_slug(self.slug))


class ConnectAccount(ProjectCommand):
    """Make a project the home of what a provider account says without naming a project."""

    provider: str
    account: str
    livemode: bool


class RegisterApp(ProjectCommand):
    """Let a micro-app join a project."""

    name: str


class IssueKey(ProjectCommand):
    """Give an app a key; the caller made its public id and the hash of its secret."""

    NOT_ASKED: ClassVar[frozenset[str]] = frozenset({"key_id", "secret_hash"})
    app: UUID
    key_id: str
    secret_hash: str
    scope: Scope


class RotateKey(ProjectCommand):
    """Replace a key by a successor of the same scope, with an overlap."""

    NOT_ASKED: ClassVar[frozenset[str]] = frozenset({"key_id", "secret_hash"})
    app: UUID
    old: str
    key_id: str
    secret_hash: str
    overlap: timedelta


class RevokeKey(ProjectCommand):
    """End a key now."""

    app: UUID
    key_id: str
    reason: str


def create_project(command: CreateProject, context: Context) -> Decision:
    project = context.load(projects.evolve_project, command.key_scope())
    events = projects.create_project(
        project.state, slug=command.slug, name=command.name, now=context.now
    )
    return Decision(
        project=project.stream,
        owner=project.stream,
        changes=(project.then(events),),
        ids={"project": str(project.stream)},
    )


def connect_account(command: ConnectAccount, context: Context) -> Decision:
    account = ProviderAccount(command.provider, command.account, command.livemode)
    home = context.load(projects.evolve_project, command.project)
    home.require("project", command.project)
    stream = context.load(projects.evolve_account, projects.account_stream(account))
    events = projects.connect_account(
        stream.state, account=account, home=command.project, now=context.now
    )
    return Decision(project=command.project, owner=stream.stream, changes=(stream.then(events),))


def register_app(command: RegisterApp, context: Context) -> Decision:
    app_id = projects.app_id(command.project, command.name)
    context.prefetch(command.project, app_id)
    context.load(projects.evolve_project, command.project).require("project", command.project)
    app = context.load(projects.evolve_app, app_id)
    events = projects.register_app(app.state, name=command.name, now=context.now)
    return Decision(
        project=command.project,
        owner=command.project,
        changes=(app.then(events),),
        ids={"app": str(app_id)},
    )


def _on_app(
    command: IssueKey | RotateKey | RevokeKey,
    context: Context,
    decide: Callable[[projects.App], tuple[Decided, ...]],
) -> tuple[Change, ...]:
    app = context.load(projects.evolve_app, command.app)
    return (app.then(decide(app.require("app", command.project))),)


def _with_new_key(command: IssueKey | RotateKey, changes: tuple[Change, ...]) -> Decision:
    return Decision(
        project=command.project,
        owner=command.project,
        changes=changes,
        ids={"app": str(command.app), "key": command.key_id},
    )


def issue_key(command: IssueKey, context: Context) -> Decision:
    changes = _on_app(
        command,
        context,
        lambda app: projects.issue_key(
            app,
            key_id=command.key_id,
            secret_hash=command.secret_hash,
            scope=command.scope,
            now=context.now,
        ),
    )
    return _with_new_key(command, changes)


def rotate_key(command: RotateKey, context: Context) -> Decision:
    changes = _on_app(
        command,
        context,
        lambda app: projects.rotate_key(
            app,
            old=command.old,
            key_id=command.key_id,
            secret_hash=command.secret_hash,
            overlap=command.overlap,
            now=context.now,
        ),
    )
    return _with_new_key(command, changes)


def revoke_key(command: RevokeKey, context: Context) -> Decision:
    changes = _on_app(
        command,
        context,
        lambda app: projects.revoke_key(
            app, key_id=command.key_id, reason=command.reason, now=context.now
        ),
    )
    return Decision(project=command.project, owner=command.project, changes=changes)


HANDLERS: Handlers = {
    CreateProject: create_project,
    ConnectAccount: connect_account,
    RegisterApp: register_app,
    IssueKey: issue_key,
    RotateKey: rotate_key,
    RevokeKey: revoke_key,
}
