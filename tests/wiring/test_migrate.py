"""Migrations: applied once whoever comes first, free when there is nothing to do."""

from __future__ import annotations

import re
import secrets
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from wiring.embedded import EmbeddedServers
from wiring.migrate import applied_revision, migrate, newest_revision

_VERSIONS = Path(__file__).parents[2] / "migrations" / "versions"
_MIGRATE = "import sys; from wiring.migrate import migrate; print(*migrate(sys.argv[1]))"


@pytest.fixture
def empty_database_url(embedded: EmbeddedServers) -> Iterator[str]:
    """A database nobody has migrated, as its owner."""
    name = sql.Identifier(f"empty_{secrets.token_hex(6)}")
    with psycopg.connect(embedded.owner_database_url, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(name))
        yield embedded.database_urls(name.as_string().strip('"'))[1]
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))


def test_an_empty_database_is_brought_to_the_newest_revision(empty_database_url: str) -> None:
    assert applied_revision(empty_database_url) is None

    applied = migrate(empty_database_url)

    assert applied == [path.name[:4] for path in sorted(_VERSIONS.glob("[0-9]*.py"))]
    assert applied_revision(empty_database_url) == newest_revision()
    assert migrate(empty_database_url) == []


def test_many_processes_that_start_at_once_migrate_once(empty_database_url: str) -> None:
    command = [sys.executable, "-c", _MIGRATE, empty_database_url]
    starting = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    applied = [process.communicate()[0].split() for process in starting]

    assert [process.returncode for process in starting] == [0, 0, 0, 0]
    revisions = [path.name[:4] for path in sorted(_VERSIONS.glob("[0-9]*.py"))]
    assert sorted(applied) == sorted([[], [], [], revisions])


def test_a_current_database_is_recognised_without_loading_alembic(
    owner_database_url: str,
) -> None:
    probe = f"{_MIGRATE}; sys.exit('alembic' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", probe, owner_database_url],
        check=False,
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout.strip()) == (0, ""), done.stderr


def test_a_database_ahead_of_this_code_is_left_alone(owner_database_url: str) -> None:
    with psycopg.connect(owner_database_url) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")

    assert migrate(owner_database_url) == []
    assert applied_revision(owner_database_url) == "9999"


def test_the_product_may_read_which_schema_it_has_and_change_nothing_of_it(
    connection: psycopg.Connection, database_url: str
) -> None:
    assert applied_revision(database_url) == newest_revision()
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute("DELETE FROM alembic_version")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute("CREATE TABLE public.mine (n int)")


def test_files_are_numbered_without_gaps_and_follow_each_other() -> None:
    previous: str | None = None
    for number, path in enumerate(sorted(_VERSIONS.glob("[0-9]*.py")), start=1):
        text = path.read_text()
        assert path.name.startswith(f"{number:04d}_"), path.name
        assert re.search(rf'^revision\b.*= "{number:04d}"$', text, re.MULTILINE), path.name
        parent = f'"{previous}"' if previous else "None"
        assert re.search(rf"^down_revision\b.*= {parent}$", text, re.MULTILINE), path.name
        previous = f"{number:04d}"
