"""The ground both contestants stand on: durable servers of their own, and how much to do."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
from psycopg import sql

from wiring.embedded import EmbeddedServers
from wiring.migrate import migrate


@dataclass(frozen=True, slots=True)
class Bench:
    """Running servers and the size of the work; `quick` is a look, not a measurement."""

    servers: EmbeddedServers
    quick: bool

    def times(self, count: int) -> int:
        """How often to do something that is done `count` times in a full run."""
        return max(1, count // 10) if self.quick else count

    def database(self) -> tuple[str, str]:
        """A fresh migrated database: its URL as the product sees it, and as its owner."""
        name = f"bench_{secrets.token_hex(4)}"
        with psycopg.connect(self.servers.owner_database_url, autocommit=True) as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        url, owner_url = self.servers.database_urls(name)
        migrate(owner_url)
        return url, owner_url


@contextmanager
def open_bench(*, quick: bool) -> Iterator[Bench]:
    """Servers that write for real, gone with the block."""
    with TemporaryDirectory(prefix="folio-bench-") as folder:
        servers = EmbeddedServers(Path(folder) / "servers", durable=True)
        servers.start()
        try:
            yield Bench(servers, quick)
        finally:
            servers.destroy()
