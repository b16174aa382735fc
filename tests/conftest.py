"""Real servers for every test that asks: a PostgreSQL and a Valkey, started once per run.

`database_url` and `owner_database_url` name the same fresh, migrated database, as the product's
role and as the schema's owner; `module_…` the same for all tests of a module. `redis_url` is an
empty Valkey. `embedded` is the servers themselves, for tests that kill them.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psycopg
import pytest
import redis
from psycopg import sql

from wiring.embedded import EmbeddedServers
from wiring.migrate import migrate

_TEMPLATE: Final = "folio_template"
_FOLDER_PREFIX: Final = "folio-tests-"


@dataclass(frozen=True, slots=True)
class Database:
    """One database of a test: its URL as the product's role and as the schema's owner."""

    url: str
    owner_url: str


# Makes a migrated database that lives as long as the context.
NewDatabase = Callable[[], AbstractContextManager[Database]]


@pytest.fixture(scope="session")
def embedded() -> Iterator[EmbeddedServers]:
    """The servers of this run; without fsync, which only a power cut would notice."""
    _remove_folders_of_killed_runs()
    folder = Path(tempfile.gettempdir()) / f"{_FOLDER_PREFIX}{os.getpid()}-{secrets.token_hex(3)}"
    servers = EmbeddedServers(folder, durable=False)
    servers.start()
    try:
        yield servers
    finally:
        servers.destroy()


@pytest.fixture(scope="session")
def new_database(embedded: EmbeddedServers) -> NewDatabase:
    """Makes migrated databases, each a copy of one that was migrated at the start of the run."""
    _administer(embedded, sql.SQL("CREATE DATABASE {}").format(sql.Identifier(_TEMPLATE)))
    migrate(embedded.database_urls(_TEMPLATE)[1])

    @contextmanager
    def make() -> Iterator[Database]:
        name = f"test_{secrets.token_hex(6)}"
        _administer(
            embedded,
            sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY").format(
                sql.Identifier(name), sql.Identifier(_TEMPLATE)
            ),
        )
        yield Database(*embedded.database_urls(name))
        drop = sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name))
        _administer(embedded, drop)

    return make


@pytest.fixture
def database(new_database: NewDatabase) -> Iterator[Database]:
    """A fresh migrated database of this test."""
    with new_database() as made:
        yield made


@pytest.fixture
def database_url(database: Database) -> str:
    """The test's database as the product sees it."""
    return database.url


@pytest.fixture
def owner_database_url(database: Database) -> str:
    """The test's database as the owner of its schema."""
    return database.owner_url


@pytest.fixture
def connection(database_url: str) -> Iterator[psycopg.Connection]:
    """An autocommit connection to the test's database, as the product's role."""
    with psycopg.connect(database_url, autocommit=True) as opened:
        yield opened


@pytest.fixture(scope="module")
def module_database(new_database: NewDatabase) -> Iterator[Database]:
    """A migrated database shared by the tests of one module."""
    with new_database() as made:
        yield made


@pytest.fixture(scope="module")
def module_database_url(module_database: Database) -> str:
    return module_database.url


@pytest.fixture(scope="module")
def module_owner_database_url(module_database: Database) -> str:
    return module_database.owner_url


@pytest.fixture
def redis_url(embedded: EmbeddedServers) -> str:
    """The Valkey of this run, emptied."""
    with redis.Redis.from_url(embedded.redis_url) as client:
        client.flushall()
    return embedded.redis_url


def _administer(embedded: EmbeddedServers, statement: sql.Composed) -> None:
    with psycopg.connect(embedded.database_urls("postgres")[1], autocommit=True) as connection:
        connection.execute(statement)


def _remove_folders_of_killed_runs() -> None:
    """A run that was killed could not tidy up; its lock is free."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_FOLDER_PREFIX}*"):
        try:
            with (folder / "lock").open("rb") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder)
        except OSError:
            continue
