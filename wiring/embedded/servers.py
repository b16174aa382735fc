"""Both embedded servers as one thing: started together, stopped together, one data directory."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import signal
import threading
from contextlib import ExitStack
from pathlib import Path
from types import FrameType, TracebackType
from typing import Final, Self

from wiring.embedded.account import Account, server_account
from wiring.embedded.postgres import Postgres
from wiring.embedded.valkey import Valkey

_STATE_OF_ROOT: Final = Path("/var/lib/folio/state")


class AlreadyRunning(RuntimeError):
    """Another process runs the servers of this data directory."""


class EmbeddedServers:
    """A PostgreSQL and a Valkey whose data live in `data_dir` from run to run.

    Used as a context manager, or by `start` and `stop`. The servers die with this process, even
    when it is killed. Raises `AlreadyRunning`, `ServerMissing` or `ServerFailed`.
    """

    def __init__(self, data_dir: Path, *, durable: bool = True) -> None:
        self._data_dir = data_dir.resolve()
        self._durable = durable
        self._running = ExitStack()
        self._postgres: Postgres | None = None
        self._valkey: Valkey | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def database_url(self) -> str:
        """For the product: may read and write, may not change history."""
        return self.postgres.application_url()

    @property
    def owner_database_url(self) -> str:
        """For migrations: owns the schema."""
        return self.postgres.owner_url()

    def database_urls(self, database: str) -> tuple[str, str]:
        """The application's and the owner's URL of another database on the same server."""
        return self.postgres.application_url(database), self.postgres.owner_url(database)

    @property
    def redis_url(self) -> str:
        return self.valkey.url

    @property
    def postgres(self) -> Postgres:
        assert self._postgres is not None, "the servers were not started"
        return self._postgres

    @property
    def valkey(self) -> Valkey:
        assert self._valkey is not None, "the servers were not started"
        return self._valkey

    def start(self) -> None:
        """Start both servers; returns when both answer."""
        account = server_account()
        if not self._data_dir.exists():
            self._data_dir.mkdir(mode=0o700, parents=True)
        with ExitStack() as starting:
            starting.callback(os.close, _lock(self._data_dir / "lock"))
            _exit_on_sigterm(starting)
            state = self._state_folder(account)
            self._valkey = Valkey(state, self._data_dir, account)
            self._postgres = Postgres(state, self._data_dir, account, durable=self._durable)
            starting.callback(self._valkey.stop)
            self._valkey.start()
            starting.callback(self._postgres.stop)
            self._postgres.start()
            self._running = starting.pop_all()

    def stop(self) -> None:
        """Stop both servers, their data written; does nothing when they are stopped."""
        self._running.close()

    def kill_postgres(self) -> None:
        """End PostgreSQL as a crash would; `restart_postgres` brings it back."""
        self.postgres.kill()

    def restart_postgres(self) -> None:
        """Start PostgreSQL again on the same port, stopping it first if it runs."""
        self.postgres.restart()

    def destroy(self) -> None:
        """Stop, and delete all data."""
        self.stop()
        shutil.rmtree(self._borrowed_state(), ignore_errors=True)
        shutil.rmtree(self._data_dir, ignore_errors=True)

    def _state_folder(self, account: Account) -> Path:
        """Where the servers keep their files: in the data directory, if they can get there.

        As root they run as another account. Rather than opening the folders above (the home of
        root, say) to everyone, their files then live in a place of their own.
        """
        state = self._data_dir / "servers"
        if account.uid is not None:
            if not (self._data_dir / "secrets").exists():  # deleted by hand: begin anew
                shutil.rmtree(self._borrowed_state(), ignore_errors=True)
            self._data_dir.chmod(0o711)
            if not account.can_enter(self._data_dir):
                state = self._borrowed_state()
                state.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        account.make_directory(state)
        return state

    def _borrowed_state(self) -> Path:
        return _STATE_OF_ROOT / hashlib.sha256(str(self._data_dir).encode()).hexdigest()[:16]


def _lock(path: Path) -> int:
    """Hold the data directory for this process; the system lets go when the process ends."""
    held = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        owner = os.pread(held, 20, 0).decode() or "another process"
        os.close(held)
        raise AlreadyRunning(
            f"Folio already runs on {path.parent} (process {owner}); stop that one first."
        ) from None
    os.truncate(held, 0)
    os.pwrite(held, str(os.getpid()).encode(), 0)
    return held


def _exit_on_sigterm(running: ExitStack) -> None:
    """Let SIGTERM unwind the process, so that the servers stop cleanly, unless it is taken."""
    on_main_thread = threading.current_thread() is threading.main_thread()
    if not on_main_thread or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        return

    def leave(number: int, frame: FrameType | None) -> None:
        raise SystemExit(128 + number)

    signal.signal(signal.SIGTERM, leave)
    running.callback(signal.signal, signal.SIGTERM, signal.SIG_DFL)
