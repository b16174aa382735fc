"""The servers a process works on: those that are set, embedded ones for what is not."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

from wiring.embedded import EmbeddedServers
from wiring.migrate import migrate
from wiring.settings import Settings


@dataclass(frozen=True, slots=True)
class Servers:
    """Where the database and Redis are; the database is migrated."""

    database_url: str = field(repr=False)
    owner_database_url: str = field(repr=False)
    redis_url: str = field(repr=False)


@contextmanager
def open_servers(settings: Settings) -> Iterator[Servers]:
    """The servers of these settings, migrated; embedded ones stop at the end.

    One process of a machine opens them and gives the URLs to those it starts: the data directory
    has one supervisor (`AlreadyRunning` otherwise).
    """
    with ExitStack() as running:
        database, owner = settings.database_url, settings.schema_owner_url
        redis = settings.redis_url
        if database is None or redis is None:
            embedded = running.enter_context(EmbeddedServers(settings.data_dir))
            redis = redis or embedded.redis_url
            if database is None:
                database, owner = embedded.database_url, embedded.owner_database_url
        found = Servers(database, owner or database, redis)
        migrate(found.owner_database_url)
        yield found
