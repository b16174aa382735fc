"""The `folio` command: every file of the room is a subcommand, and none is slow to list."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.main import app
from wiring.env_example import env_example
from wiring.migrate import newest_revision

_ROOM = Path(__file__).parents[2] / "cli"
_HEAVY = {"alembic", "dramatiq", "eventsourcing", "fastapi", "psycopg", "redis", "stripe"}


def test_help_names_every_subcommand() -> None:
    shown = CliRunner().invoke(app, ["--help"], env={"COLUMNS": "200"}).output
    files = {path.stem for path in _ROOM.glob("*.py")} - {"__init__", "main", "process"}
    assert not {name for name in {*files, "demo"} if name.replace("_", "-") not in shown}


def test_listing_the_subcommands_loads_nothing_heavy() -> None:
    probe = f"import sys, cli.main; print(*sorted({_HEAVY} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_env_example_prints_the_file() -> None:
    assert CliRunner().invoke(app, ["env-example"]).output == env_example()


def test_migrate_needs_a_database(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.delenv("FOLIO_MIGRATION_DATABASE_URL", raising=False)
    done = CliRunner().invoke(app, ["migrate"])
    assert (done.exit_code, "DATABASE_URL is not set" in done.output) == (2, True)


def test_migrate_says_where_the_schema_is(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, owner_database_url: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATABASE_URL", owner_database_url)
    done = CliRunner().invoke(app, ["migrate"])
    assert (done.exit_code, f"the schema is at {newest_revision()}" in done.output) == (0, True)
