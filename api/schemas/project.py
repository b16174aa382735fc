"""Projects, apps and API keys, as documents."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, StrictBool, StrictInt, StringConstraints

from api.schemas.base import Asked, Name, Told
from ledger.events.project import Scope


class ProviderAccountToConnect(Asked):
    """The provider account whose customers and products belong to a project."""

    account: Name = Field(examples=["acct_default"])
    livemode: StrictBool = False


class ProjectToCreate(Asked):
    """A project to begin."""

    slug: Annotated[str, StringConstraints(strict=True, max_length=63)] = Field(
        description="1 to 63 of a-z, 0-9 and inner hyphens.", examples=["acme"]
    )
    name: Name
    stripe_account: ProviderAccountToConnect | None = None


class CreatedProject(Told):
    id: UUID
    slug: str
    name: str
    position: int


class AppToRegister(Asked):
    """A micro-app to let into a project."""

    name: Name


class RegisteredApp(Told):
    id: UUID
    project: UUID
    name: str
    position: int


class KeyToIssue(Asked):
    """A key to give to an app."""

    scope: Literal["read", "write"] = "read"


class KeyToRotate(Asked):
    """How long the old key lives on beside its successor."""

    overlap_seconds: Annotated[StrictInt, Field(ge=0, le=30 * 86_400)] = 86_400


class KeyToRevoke(Asked):
    reason: Name


class IssuedKey(Told):
    """A new key. `token` is shown this once: a repeated call gets the same key without it."""

    id: str
    app: UUID
    scope: Scope | None
    token: str | None
    position: int


class RevokedKey(Told):
    id: str
    app: UUID
    position: int
