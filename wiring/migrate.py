"""Brings a database to the present schema, whichever of many processes comes first.

Every process calls it when it starts, so it must cost nothing when there is nothing to do: the
newest revision is known from the file names, and Alembic is imported only to apply one.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Final

import psycopg
from psycopg import errors

_MIGRATIONS: Final = Path(__file__).resolve().parent.parent / "migrations"
_REVISION_FILE: Final = re.compile(r"(\d{4})_\w+\.py")
_LOCK: Final = 0x666F6C696F  # "folio"
_LOCK_WAIT_SECONDS: Final = 120.0
_ATTEMPTS: Final = 5


class MigrationsBusy(RuntimeError):
    """Another process has been migrating for longer than we are ready to wait."""


@cache
def newest_revision() -> str | None:
    """The number of the last migration this code knows; None when there is none."""
    names = (_REVISION_FILE.fullmatch(path.name) for path in (_MIGRATIONS / "versions").iterdir())
    return max((match[1] for match in names if match), default=None)


def migrate(owner_url: str) -> list[str]:
    """Apply what is missing and return the revisions applied, oldest first.

    `owner_url` logs in as the owner of the schema. Forward only: a database that is ahead of this
    code is left as it is, since every migration keeps the code before it working.
    """
    if _is_current(owner_url):
        return []
    with _one_at_a_time(owner_url):
        for remaining in reversed(range(_ATTEMPTS)):
            before = applied_revision(owner_url)
            try:
                return _upgrade(owner_url)
            except errors.LockNotAvailable:
                # A long query held a table. Each migration is one transaction: go on from there.
                if remaining == 0 and applied_revision(owner_url) == before:
                    raise
                time.sleep(0.5)
    return []


def applied_revision(url: str) -> str | None:
    """The revision a database is at; None when it is empty."""
    with psycopg.connect(url, autocommit=True) as connection:
        known = connection.execute("SELECT to_regclass('alembic_version')").fetchone()
        if known is None or known[0] is None:
            return None
        row = connection.execute("SELECT max(version_num) FROM alembic_version").fetchone()
        return None if row is None else row[0]


def _is_current(url: str) -> bool:
    newest = newest_revision()
    return newest is None or (applied_revision(url) or "") >= newest


@contextmanager
def _one_at_a_time(url: str) -> Iterator[None]:
    """Hold the migration lock of the database.

    Asked for again and again instead of waited for: a waiting statement is an open transaction,
    which a migration that builds an index concurrently would wait for in turn.
    """
    deadline = time.monotonic() + _LOCK_WAIT_SECONDS
    with psycopg.connect(url, autocommit=True) as connection:
        while True:
            row = connection.execute("SELECT pg_try_advisory_lock(%s)", [_LOCK]).fetchone()
            if row is not None and row[0]:
                break
            if time.monotonic() > deadline:
                raise MigrationsBusy(f"migrations are still running after {_LOCK_WAIT_SECONDS} s")
            time.sleep(0.05)
        yield  # the lock ends with the session, however this process ends


def _upgrade(url: str) -> list[str]:
    from alembic import command
    from alembic.config import Config

    applied: list[str] = []
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.set_main_option("path_separator", "os")
    config.attributes.update(url=url, applied=applied)
    command.upgrade(config, "head")
    return applied
