"""`folio serve`, `worker`, `scheduler` and `rebuild`: how they start and end, what they say."""

from __future__ import annotations

import json
import signal
import socket
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.main import app
from projections.registry import PROJECTIONS
from tests.conftest import Database
from tests.installation import eventually, installation, stop
from tests.workers.shop import Shop

_LONG_RUNNING = ("serve", "worker", "scheduler")
_RUNS = {"serve": "startup complete", "worker": "worker runs", "scheduler": "leading"}


@pytest.fixture
def nowhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    """A folder without settings, and an environment without any."""
    monkeypatch.chdir(tmp_path)
    for name in ("DATABASE_URL", "REDIS_URL", "FOLIO_MIGRATION_DATABASE_URL"):
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


@pytest.mark.usefixtures("nowhere")
@pytest.mark.parametrize("subcommand", [*_LONG_RUNNING, "rebuild"])
def test_each_explains_itself_and_says_what_it_needs(subcommand: str) -> None:
    shown = CliRunner().invoke(app, [subcommand, "--help"], env={"COLUMNS": "200"}).output
    assert "3 when the database does not" in " ".join(shown.split())
    arguments = ["--all"] if subcommand == "rebuild" else []
    done = CliRunner().invoke(app, [subcommand, *arguments])
    assert (done.exit_code, done.output) == (2, "DATABASE_URL is not set\n")


def test_a_database_that_is_away_is_told_in_a_sentence(nowhere: pytest.MonkeyPatch) -> None:
    nowhere.setenv("DATABASE_URL", "postgresql://folio@127.0.0.1:9/folio")
    nowhere.setenv("REDIS_URL", "redis://127.0.0.1:9/0")
    done = CliRunner().invoke(app, ["worker"])
    assert (done.exit_code, "the database does not answer" in done.output) == (3, True)


def test_each_runs_and_ends_cleanly_on_sigterm(
    database: Database, redis_url: str, tmp_path: Path
) -> None:
    with installation(database.url, database.owner_url, redis_url, tmp_path) as running:
        processes = {name: running.start(name) for name in _LONG_RUNNING}
        eventually(lambda: all(sentence in running.said(name) for name, sentence in _RUNS.items()))
        for name, process in processes.items():
            assert stop(process, signal.SIGTERM) == 0, running.said(name)
            assert "Traceback" not in running.said(name)
            for line in running.said(name).splitlines():
                assert json.loads(line)["event"]


def test_a_port_that_is_taken_is_told_in_a_sentence(
    database: Database, redis_url: str, tmp_path: Path
) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as busy,
        installation(database.url, database.owner_url, redis_url, tmp_path) as running,
    ):
        port = busy.getsockname()[1]
        process = running.start("serve", FOLIO_API_PORT=str(port))
        assert process.wait(60) == 2
        assert f"Cannot listen on 127.0.0.1 port {port}" in running.said("serve")


def test_rebuild_fills_compares_and_swaps(
    database: Database, redis_url: str, nowhere: pytest.MonkeyPatch
) -> None:
    shop = Shop.open(database.url, redis_url)
    for name in ("ann", "bob", "cyd"):
        shop.subscribe(name, shop.now)
    shop.catch_up()
    shop.services.close()
    nowhere.setenv("DATABASE_URL", database.url)
    nowhere.setenv("FOLIO_MIGRATION_DATABASE_URL", database.owner_url)
    nowhere.setenv("REDIS_URL", redis_url)

    told = CliRunner().invoke(app, ["rebuild", "--all", "--json"])
    assert told.exit_code == 0, told.output
    outcomes = {each["projection"]: each for each in json.loads(told.stdout)}
    assert set(outcomes) == {projection.name for projection in PROJECTIONS}
    assert all(each["swapped"] and not each["differing_buckets"] for each in outcomes.values())
    assert outcomes["customers"]["rows"] >= 3

    told = CliRunner().invoke(app, ["rebuild", "customers", "--drop-kept"])
    assert (told.exit_code, "rows equal to the old ones" in told.output) == (0, True)

    told = CliRunner().invoke(app, ["rebuild", "unheard-of"])
    assert (told.exit_code, "there are api_keys, catalog" in told.output) == (2, True)
