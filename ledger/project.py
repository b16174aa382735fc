"""Projects, apps and API keys; where a provider's objects are at home."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from uuid import UUID

from ledger.errors import AlreadyExists, Ended, InvalidInput, NotFound
from ledger.events.base import Decided, Happening
from ledger.events.project import (
    ApiKeyIssued,
    ApiKeyRetired,
    ApiKeyRevoked,
    AppRegistered,
    ProjectCreated,
    ProviderAccountConnected,
    ProviderObjectLinked,
    Scope,
)
from ledger.facts import ProviderAccount
from ledger.ids import bucket_in, bucket_of, derived_id, owner_id

_SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")


def check_slug(slug: str) -> str:
    """A project's short name: 1 to 63 lower-case letters, digits and inner hyphens."""
    if not _SLUG.fullmatch(slug):
        raise InvalidInput("slug", "1 to 63 of a-z, 0-9 and inner hyphens")
    return slug


def project_id(slug: str) -> UUID:
    """The id of the project with this slug; two projects of one slug cannot be."""
    return owner_id("project", slug)


def app_id(project: UUID, name: str) -> UUID:
    """The id of an app of a project, in the project's bucket."""
    return derived_id(bucket_in(project), str(project), "app", name)


def account_stream(account: ProviderAccount) -> UUID:
    """The stream that tells which project a provider account belongs to."""
    return owner_id("provider_account", *account.parts())


def link_stream(account: ProviderAccount, provider_id: str) -> UUID:
    """The stream that tells where a provider's object is at home."""
    parts = account.parts(provider_id)
    return derived_id(bucket_of("link", *parts), "link", *parts)


def account_dependency(account: ProviderAccount) -> str:
    """What facts of an account wait for until a project is its home."""
    return ":".join(account.parts("home"))


def project_dependency(slug: str) -> str:
    """What facts wait for that name a project which is not there yet."""
    return f"project:{slug}"


@dataclass(frozen=True, slots=True)
class Project:
    """A project as its events leave it."""

    slug: str


def evolve_project(state: Project | None, happened: Happening) -> Project:
    match happened.event:
        case ProjectCreated(slug=slug):
            return Project(slug)
    if state is None:
        raise NotFound("project", "without a beginning")
    return state


def create_project(
    state: Project | None, *, slug: str, name: str, now: datetime
) -> tuple[Decided, ...]:
    """A new project; AlreadyExists when the slug is taken."""
    if state is not None:
        raise AlreadyExists("project", slug)
    return (Decided(ProjectCreated(slug=check_slug(slug), name=name), now),)


@dataclass(frozen=True, slots=True)
class Key:
    """An API key of an app; `until` is set once it is on its way out."""

    scope: Scope
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class App:
    """An app and its keys by their public id."""

    name: str
    keys: dict[str, Key] = field(default_factory=dict)


def evolve_app(state: App | None, happened: Happening) -> App:
    event = happened.event
    if isinstance(event, AppRegistered):
        return App(event.name)
    if state is None:
        raise NotFound("app", "without a beginning")
    match event:
        case ApiKeyIssued(key_id=key_id, scope=scope):
            return replace(state, keys={**state.keys, key_id: Key(scope)})
        case ApiKeyRetired(key_id=key_id, until=until):
            return _until(state, key_id, until)
        case ApiKeyRevoked(key_id=key_id):
            return _until(state, key_id, happened.effective_at)
    return state


def _until(state: App, key_id: str, until: datetime) -> App:
    return replace(state, keys={**state.keys, key_id: replace(state.keys[key_id], until=until)})


def register_app(state: App | None, *, name: str, now: datetime) -> tuple[Decided, ...]:
    """A new app; AlreadyExists when the project has one of this name."""
    if state is not None:
        raise AlreadyExists("app", name)
    return (Decided(AppRegistered(name=name), now),)


def issue_key(
    state: App, *, key_id: str, secret_hash: str, scope: Scope, now: datetime
) -> tuple[Decided, ...]:
    """A first or further key for an app."""
    if key_id in state.keys:
        raise AlreadyExists("API key", key_id)
    return (Decided(ApiKeyIssued(key_id=key_id, secret_hash=secret_hash, scope=scope), now),)


def rotate_key(
    state: App,
    *,
    old: str,
    key_id: str,
    secret_hash: str,
    overlap: timedelta,
    now: datetime,
) -> tuple[Decided, ...]:
    """A successor with the old key's scope; the old one lives on for the overlap."""
    key = _live(state, old, now)
    issued = issue_key(state, key_id=key_id, secret_hash=secret_hash, scope=key.scope, now=now)
    until = min(now + overlap, key.until) if key.until else now + overlap
    return (*issued, Decided(ApiKeyRetired(key_id=old, until=until), now))


def revoke_key(state: App, *, key_id: str, reason: str, now: datetime) -> tuple[Decided, ...]:
    """The end of a key, now."""
    _live(state, key_id, now)
    return (Decided(ApiKeyRevoked(key_id=key_id, reason=reason), now),)


def _live(state: App, key_id: str, now: datetime) -> Key:
    key = state.keys.get(key_id)
    if key is None:
        raise NotFound("API key", key_id)
    if key.until is not None and key.until <= now:
        raise Ended("API key", key_id)
    return key


@dataclass(frozen=True, slots=True)
class Link:
    """Where a provider's object is at home: our id for it and its project."""

    target: UUID
    project: UUID


def evolve_link(state: Link | None, happened: Happening) -> Link:
    match happened.event:
        case ProviderObjectLinked(target=target, home=home):
            return Link(target, home)
    if state is None:
        raise NotFound("link", "without a beginning")
    return state


def evolve_account(state: UUID | None, happened: Happening) -> UUID:
    """The project a provider account belongs to."""
    match happened.event:
        case ProviderAccountConnected(home=home):
            return home
    if state is None:
        raise NotFound("provider account", "without a beginning")
    return state


def connect_account(
    state: UUID | None, *, account: ProviderAccount, home: UUID, now: datetime
) -> tuple[Decided, ...]:
    """Make a project the home of an account; again is nothing, another project is refused."""
    if state == home:
        return ()
    if state is not None:
        raise AlreadyExists("home of provider account", account.account)
    connected = ProviderAccountConnected(
        provider=account.provider, account=account.account, livemode=account.livemode, home=home
    )
    return (Decided(connected, now),)
