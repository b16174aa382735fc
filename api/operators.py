"""Projects, their apps and keys, for the operator of this installation."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Path
from starlette.responses import Response

from api.api_key import ApiKey, keyed_hash, mint
from api.auth import ByOperator, FromServices, OptionalIdempotencyKey, pepper_of
from api.replay import mark_replayed
from api.schemas.base import Identifier, problems
from api.schemas.project import (
    AppToRegister,
    CreatedProject,
    IssuedKey,
    KeyToIssue,
    KeyToRevoke,
    KeyToRotate,
    ProjectToCreate,
    RegisteredApp,
    RevokedKey,
)
from commands.project import (
    ConnectAccount,
    CreateProject,
    IssueKey,
    RegisterApp,
    RevokeKey,
    RotateKey,
)
from ledger.errors import NotFound
from ledger.events.project import AppRegistered, Scope
from ledger.facts import ProviderAccount
from ledger.project import account_dependency, project_dependency
from wiring.services import STRIPE, Services

router = APIRouter(tags=["operators"])

_REFUSALS: Final = problems(401, 404, 409, 413, 415)
KeyId = Annotated[str, Path(pattern="^[0-9A-Za-z]{12}$")]


@router.post("/projects", status_code=201, responses=_REFUSALS)
def create_project(
    asked: ProjectToCreate,
    operator: ByOperator,
    key: OptionalIdempotencyKey,
    services: FromServices,
    response: Response,
) -> CreatedProject:
    """Begin a project; optionally as the home of a Stripe account."""
    command = CreateProject(slug=asked.slug, name=asked.name, key=operator.key(key))
    receipt = services.dispatcher.dispatch(command, operator.caller())
    project = UUID(receipt.ids["project"])
    released = [project_dependency(asked.slug)]
    if asked.stripe_account is not None:
        account = ProviderAccount(
            STRIPE, asked.stripe_account.account, asked.stripe_account.livemode
        )
        connect = ConnectAccount(
            project=project,
            provider=account.provider,
            account=account.account,
            livemode=account.livemode,
        )
        services.dispatcher.dispatch(connect, operator.caller())
        released.append(account_dependency(account))
    services.intake.release(*released)
    mark_replayed(response, receipt)
    return CreatedProject(id=project, slug=asked.slug, name=asked.name, position=receipt.position)


@router.post("/projects/{project}/apps", status_code=201, responses=_REFUSALS)
def register_app(
    project: Identifier,
    asked: AppToRegister,
    operator: ByOperator,
    key: OptionalIdempotencyKey,
    services: FromServices,
    response: Response,
) -> RegisteredApp:
    """Let a micro-app into a project."""
    command = RegisterApp(project=project, name=asked.name, key=operator.key(key))
    receipt = services.dispatcher.dispatch(command, operator.caller())
    mark_replayed(response, receipt)
    return RegisteredApp(
        id=UUID(receipt.ids["app"]),
        project=project,
        name=asked.name,
        position=receipt.position,
    )


@router.post("/apps/{app}/keys", status_code=201, responses=_REFUSALS)
def issue_key(
    app: Identifier,
    asked: KeyToIssue,
    operator: ByOperator,
    key: OptionalIdempotencyKey,
    services: FromServices,
    response: Response,
) -> IssuedKey:
    """Give an app a key. It is shown in this answer and never again."""
    fresh = mint()
    command = IssueKey(
        project=_project_of(services, app),
        app=app,
        key_id=fresh.key_id,
        secret_hash=_hash(services, fresh),
        scope=Scope(asked.scope),
        key=operator.key(key),
    )
    receipt = services.dispatcher.dispatch(command, operator.caller())
    mark_replayed(response, receipt)
    return IssuedKey(
        id=receipt.ids["key"],
        app=app,
        scope=command.scope,
        token=None if receipt.replayed else fresh.token,
        position=receipt.position,
    )


@router.post("/apps/{app}/keys/{key_id}/rotate", status_code=201, responses=_REFUSALS)
def rotate_key(
    app: Identifier,
    key_id: KeyId,
    asked: KeyToRotate,
    operator: ByOperator,
    key: OptionalIdempotencyKey,
    services: FromServices,
    response: Response,
) -> IssuedKey:
    """Replace a key by a new one of the same scope; the old one lives on for the overlap."""
    fresh = mint()
    command = RotateKey(
        project=_project_of(services, app),
        app=app,
        old=key_id,
        key_id=fresh.key_id,
        secret_hash=_hash(services, fresh),
        overlap=timedelta(seconds=asked.overlap_seconds),
        key=operator.key(key),
    )
    receipt = services.dispatcher.dispatch(command, operator.caller())
    mark_replayed(response, receipt)
    return IssuedKey(
        id=receipt.ids["key"],
        app=app,
        scope=None,
        token=None if receipt.replayed else fresh.token,
        position=receipt.position,
    )


@router.post("/apps/{app}/keys/{key_id}/revoke", responses=_REFUSALS)
def revoke_key(
    app: Identifier,
    key_id: KeyId,
    asked: KeyToRevoke,
    operator: ByOperator,
    key: OptionalIdempotencyKey,
    services: FromServices,
    response: Response,
) -> RevokedKey:
    """End a key; within five seconds nobody accepts it."""
    command = RevokeKey(
        project=_project_of(services, app),
        app=app,
        key_id=key_id,
        reason=asked.reason,
        key=operator.key(key),
    )
    receipt = services.dispatcher.dispatch(command, operator.caller())
    mark_replayed(response, receipt)
    return RevokedKey(id=key_id, app=app, position=receipt.position)


def _project_of(services: Services, app: UUID) -> UUID:
    """The project an app belongs to, from the log: a new app can be given keys at once."""
    registered = services.log.stream(app, until=1)
    if not registered or not isinstance(registered[0].event, AppRegistered):
        raise NotFound("app", str(app))
    return registered[0].project


def _hash(services: Services, fresh: ApiKey) -> str:
    return keyed_hash(pepper_of(services), fresh.token.encode()).hex()
