"""Projects, their apps, and the API keys apps call with."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from ledger.events.base import Event, event


class Scope(StrEnum):
    """What an API key may do; writing includes reading."""

    READ = "read"
    WRITE = "write"


@event
class ProjectCreated(Event):
    """A project began: one company's or product's customers, catalog and apps."""

    NAME: ClassVar[str] = "project.created"
    slug: str
    name: str


@event
class AppRegistered(Event):
    """A micro-app joined a project."""

    NAME: ClassVar[str] = "app.registered"
    name: str


@event
class ApiKeyIssued(Event):
    """An app got a key; only its keyed hash is kept. `key_id` is the public part."""

    NAME: ClassVar[str] = "api_key.issued"
    key_id: str
    secret_hash: str
    scope: Scope


@event
class ApiKeyRetired(Event):
    """A key was rotated: it lives on beside its successor until `until`."""

    NAME: ClassVar[str] = "api_key.retired"
    key_id: str
    until: datetime


@event
class ApiKeyRevoked(Event):
    """A key is dead at once."""

    NAME: ClassVar[str] = "api_key.revoked"
    key_id: str
    reason: str


@event
class ProviderObjectLinked(Event):
    """A provider's object was given its home: our id for it, and the project it belongs to."""

    NAME: ClassVar[str] = "provider_object.linked"
    provider_id: str
    target: UUID
    home: UUID


@event
class ProviderAccountConnected(Event):
    """A project became the home of whatever a provider account says without naming a project."""

    NAME: ClassVar[str] = "provider_account.connected"
    provider: str
    account: str
    livemode: bool
    home: UUID
