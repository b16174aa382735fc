"""The embedded PostgreSQL: made once, started in well under a second, restarted after a crash."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import Final
from urllib.parse import quote

import psycopg
from psycopg import sql

from migrations import APPLICATION_ROLE
from wiring.embedded.account import Account
from wiring.embedded.binaries import postgres_programs
from wiring.embedded.child import Child, ServerFailed, server_environment
from wiring.embedded.ports import free_port
from wiring.local_secrets import local_secret

OWNER_ROLE: Final = "folio_owner"
DATABASE: Final = "folio"

_LONGEST_SOCKET_FOLDER: Final = 80
_SETTINGS: Final = {
    "listen_addresses": "127.0.0.1",
    "max_connections": "120",
    "shared_buffers": "256MB",
    "wal_buffers": "16MB",
    "max_wal_size": "2GB",
    "checkpoint_timeout": "15min",
    "random_page_cost": "1.1",
    "max_locks_per_transaction": "256",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_min_messages": "warning",
    "synchronous_commit": "on",
}


class Postgres:
    """One PostgreSQL cluster in a folder of its own, with an owner and an application role.

    `durable=False` skips fsync: committed rows then survive a killed server, not a power cut.
    """

    def __init__(self, state: Path, secrets: Path, account: Account, *, durable: bool) -> None:
        self._state = state
        self._cluster = state / "postgres"
        self._account = account
        self._durable = durable
        self._owner_password = local_secret(secrets, "postgres-owner")
        self._application_password = local_secret(secrets, "postgres-application")
        self._programs = postgres_programs(account)
        self._port = 0
        self._child = Child("PostgreSQL", account, state / "postgres.log", signal.SIGINT)

    @property
    def pid(self) -> int:
        return self._child.pid

    def start(self) -> None:
        """Make the cluster if there is none, start it, and make its roles and database."""
        if not self._cluster.exists():
            self._make_cluster()
        self._end_orphan()
        self._run_on_free_port()
        self._make_database()

    def stop(self) -> None:
        self._child.stop()

    def kill(self) -> None:
        """SIGKILL, as a crash: nothing is flushed, connections break."""
        self._child.kill()

    def restart(self) -> None:
        """Stop if running, start on the same port: URLs given out stay right."""
        self._child.stop()
        self._end_orphan()
        self._run()

    def owner_url(self, database: str = DATABASE) -> str:
        """Logs in as the role that owns the schema and may migrate it."""
        return self._url(OWNER_ROLE, self._owner_password, database)

    def application_url(self, database: str = DATABASE) -> str:
        """Logs in as the role the product runs as."""
        return self._url(APPLICATION_ROLE, self._application_password, database)

    def _url(self, role: str, password: str, database: str) -> str:
        return f"postgresql://{role}:{quote(password)}@127.0.0.1:{self._port}/{quote(database)}"

    def _make_cluster(self) -> None:
        draft = self._state / "postgres.draft"
        shutil.rmtree(draft, ignore_errors=True)
        self._account.make_directory(draft)
        password_file = self._state / "password.draft"
        password_file.unlink(missing_ok=True)
        password_file.touch(mode=0o600)
        password_file.write_text(self._owner_password)
        self._account.take(password_file)
        argv = [
            str(self._programs.initdb),
            *("-D", str(draft), "-U", OWNER_ROLE, "--pwfile", str(password_file)),
            *("--auth=scram-sha-256", "--encoding=UTF8"),
            *("--locale-provider=builtin", "--locale=C.UTF-8"),
        ]
        try:
            subprocess.run(
                argv if self._durable else [*argv, "--no-sync"],
                cwd="/",
                env=server_environment(),
                check=True,
                capture_output=True,
                text=True,
                **self._account.identity,
            )
        except subprocess.CalledProcessError as failure:
            raise ServerFailed(f"initdb failed:\n{failure.stderr}") from failure
        finally:
            password_file.unlink()
        draft.rename(self._cluster)

    def _run_on_free_port(self) -> None:
        for remaining in reversed(range(5)):
            self._port = free_port()
            try:
                self._run()
            except ServerFailed as failure:
                if remaining == 0 or "in use" not in str(failure):
                    raise
            else:
                return

    def _run(self) -> None:
        """Start on the chosen port; wait while the last of a killed server's backends leave."""
        deadline = time.monotonic() + 15
        while True:
            self._child.start(self._argv())
            try:
                self._child.wait_until(self._ready, 60)
            except ServerFailed as failure:
                lingering = "shared memory block" in str(failure) or "lock file" in str(failure)
                if not lingering or time.monotonic() > deadline:
                    raise
                time.sleep(0.05)
            else:
                return

    def _argv(self) -> list[str]:
        sockets = self._state / "sockets"
        self._account.make_directory(sockets)
        short_enough = len(str(sockets)) < _LONGEST_SOCKET_FOLDER
        settings = {
            **_SETTINGS,
            "port": str(self._port),
            "fsync": "on" if self._durable else "off",
            "unix_socket_directories": str(sockets) if short_enough else "",
        }
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return [str(self._programs.postgres), "-D", str(self._cluster), *options]

    def _ready(self) -> bool:
        """Whether the postmaster of this run has written that it accepts connections."""
        lines = self._postmaster_file()
        return len(lines) > 7 and lines[0] == str(self.pid) and lines[7].strip() == "ready"

    def _postmaster_file(self) -> list[str]:
        try:
            return (self._cluster / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return []

    def _end_orphan(self) -> None:
        """End a postmaster whose supervisor was killed, and forget one that is dead.

        Our caller holds the lock of the data directory, so no living supervisor owns it. A dead
        process that nobody reaped still has its number, and PostgreSQL would refuse to start.
        """
        lines = self._postmaster_file()
        if not lines:
            return
        orphan = int(lines[0])
        asked = False
        deadline = time.monotonic() + 20
        while _is_postgres(orphan, self._cluster):
            if not asked or time.monotonic() > deadline:
                os.kill(orphan, signal.SIGQUIT if asked else signal.SIGINT)
                asked = True
            time.sleep(0.02)
        (self._cluster / "postmaster.pid").unlink(missing_ok=True)
        (self._state / "sockets" / f".s.PGSQL.{lines[3]}.lock").unlink(missing_ok=True)

    def _make_database(self) -> None:
        with psycopg.connect(self.owner_url("postgres"), autocommit=True) as connection:
            found = connection.execute(
                "SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]
            ).fetchone()
            if found:
                return
            role = sql.Identifier(APPLICATION_ROLE)
            connection.execute(sql.SQL("DROP ROLE IF EXISTS {}").format(role))
            connection.execute(
                sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(
                    role, sql.Literal(self._application_password)
                )
            )
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))


def _is_postgres(pid: int, cluster: Path) -> bool:
    """Whether a process is alive, not a zombie, and runs this very cluster."""
    if Path("/proc/self/cmdline").exists():
        try:
            arguments = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            return False
        return str(cluster) in arguments  # a zombie has no arguments left
    listing = subprocess.run(
        ["ps", "-o", "args=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return str(cluster) in listing.stdout
