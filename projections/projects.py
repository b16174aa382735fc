"""Projects, their apps, and the provider accounts that are at home in them."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

from msgspec.structs import replace

from ledger.events.base import RecordedEvent
from ledger.events.project import AppRegistered, ProjectCreated, ProviderAccountConnected
from ledger.ids import bucket_in
from projections.base import Batch, Projection, Tables, fold
from projections.table import Database, ReadRow, Table


class Project(ReadRow, frozen=True):
    """One company's or product's customers, catalog and apps."""

    bucket: int
    id: UUID
    project: UUID
    slug: str
    name: str
    created_at: datetime
    position: int


class App(ReadRow, frozen=True):
    """A micro-app of a project."""

    bucket: int
    id: UUID
    project: UUID
    name: str
    registered_at: datetime
    position: int


class ConnectedAccount(ReadRow, frozen=True):
    """A provider account whose news belongs to this project unless it says otherwise."""

    bucket: int
    id: UUID
    project: UUID
    provider: str
    account: str
    livemode: bool
    connected_at: datetime
    position: int


PROJECT: Final = Table(
    "project",
    Project,
    {
        "bucket": "smallint NOT NULL",
        "id": "uuid NOT NULL",
        "project": "uuid NOT NULL",
        "slug": "text NOT NULL",
        "name": "text NOT NULL",
        "created_at": "timestamptz NOT NULL",
        "position": "bigint NOT NULL",
    },
    key=("bucket", "id"),
    indexes=("(slug)", "(id)"),
)

APP: Final = Table(
    "app",
    App,
    {
        "bucket": "smallint NOT NULL",
        "id": "uuid NOT NULL",
        "project": "uuid NOT NULL",
        "name": "text NOT NULL",
        "registered_at": "timestamptz NOT NULL",
        "position": "bigint NOT NULL",
    },
    key=("bucket", "id"),
    indexes=("(project, id)",),
)

ACCOUNT: Final = Table(
    "provider_account",
    ConnectedAccount,
    {
        "bucket": "smallint NOT NULL",
        "id": "uuid NOT NULL",
        "project": "uuid NOT NULL",
        "provider": "text NOT NULL",
        "account": "text NOT NULL",
        "livemode": "boolean NOT NULL",
        "connected_at": "timestamptz NOT NULL",
        "position": "bigint NOT NULL",
    },
    key=("bucket", "id"),
    indexes=("(project, id)",),
)


def _project_step(row: Project | None, recorded: RecordedEvent) -> Project | None:
    match recorded.event:
        case ProjectCreated(slug=slug, name=name):
            return Project(
                recorded.bucket,
                recorded.stream,
                recorded.stream,
                slug,
                name,
                recorded.effective_at,
                recorded.position,
            )
    return row


def _app_step(row: App | None, recorded: RecordedEvent) -> App | None:
    match recorded.event:
        case AppRegistered(name=name):
            return App(
                recorded.bucket,
                recorded.stream,
                recorded.project,
                name,
                recorded.effective_at,
                recorded.position,
            )
    return row


def _account_step(row: ConnectedAccount | None, recorded: RecordedEvent) -> ConnectedAccount | None:
    match recorded.event:
        case ProviderAccountConnected(home=home) if row is not None:
            return replace(row, project=home, position=recorded.position)
        case ProviderAccountConnected() as connected:
            return ConnectedAccount(
                recorded.bucket,
                recorded.stream,
                connected.home,
                connected.provider,
                connected.account,
                connected.livemode,
                recorded.effective_at,
                recorded.position,
            )
    return row


def _apply(tables: Tables, batch: Batch) -> None:
    fold(tables, PROJECT, _only(batch, ProjectCreated), _project_step)
    fold(tables, APP, _only(batch, AppRegistered), _app_step)
    fold(tables, ACCOUNT, _only(batch, ProviderAccountConnected), _account_step)


def _only(batch: Batch, kind: type) -> Batch:
    return [recorded for recorded in batch if isinstance(recorded.event, kind)]


PROJECTS: Final = Projection(
    name="projects",
    version=1,
    tables=(PROJECT, APP, ACCOUNT),
    listens=frozenset({ProjectCreated, AppRegistered, ProviderAccountConnected}),
    apply=_apply,
)


def by_id(connection: Database, project: UUID) -> Project | None:
    """A project."""
    found = PROJECT.select(
        connection, "WHERE bucket = %s AND id = %s", (bucket_in(project), project)
    )
    return found[0] if found else None


def by_slug(connection: Database, slug: str) -> Project | None:
    """The project with this short name."""
    found = PROJECT.select(connection, "WHERE slug = %s ORDER BY created_at, id LIMIT 1", (slug,))
    return found[0] if found else None


def page(connection: Database, *, limit: int, after: UUID | None = None) -> list[Project]:
    """All projects by id, beyond `after`; for operators."""
    return PROJECT.select(
        connection, "WHERE id > %s ORDER BY id LIMIT %s", (after or UUID(int=0), limit)
    )


def app_by_id(connection: Database, project: UUID, app: UUID) -> App | None:
    """An app of this project."""
    found = APP.select(
        connection,
        "WHERE bucket = %s AND id = %s AND project = %s",
        (bucket_in(app), app, project),
    )
    return found[0] if found else None


def find_app(connection: Database, app: UUID) -> App | None:
    """An app of whatever project; for operators, whose paths name the app alone."""
    found = APP.select(connection, "WHERE bucket = %s AND id = %s", (bucket_in(app), app))
    return found[0] if found else None


def apps(
    connection: Database, project: UUID, *, limit: int, after: UUID | None = None
) -> list[App]:
    """The apps of a project by id, beyond `after`."""
    return APP.select(
        connection,
        "WHERE project = %s AND id > %s ORDER BY id LIMIT %s",
        (project, after or UUID(int=0), limit),
    )


def accounts(connection: Database, project: UUID) -> list[ConnectedAccount]:
    """The provider accounts at home in a project."""
    return ACCOUNT.select(connection, "WHERE project = %s ORDER BY id", (project,))
