"""The embedded Valkey: hints, queues and caches; an append-only file keeps them over a restart."""

from __future__ import annotations

import signal
from pathlib import Path

import redis

from wiring.embedded.account import Account
from wiring.embedded.binaries import valkey_program
from wiring.embedded.child import Child, ServerFailed
from wiring.embedded.ports import free_port
from wiring.local_secrets import local_secret


class Valkey:
    """One Valkey server in a folder of its own, behind a password."""

    def __init__(self, state: Path, secrets: Path, account: Account) -> None:
        self._data = state / "valkey"
        self._configuration = state / "valkey.conf"
        self._account = account
        self._password = local_secret(secrets, "valkey")
        self._program = valkey_program(account)
        self._port = 0
        self._child = Child("Valkey", account, state / "valkey.log", signal.SIGTERM)

    @property
    def url(self) -> str:
        return f"redis://:{self._password}@127.0.0.1:{self._port}/0"

    @property
    def pid(self) -> int:
        return self._child.pid

    def start(self) -> None:
        self._account.make_directory(self._data)
        for remaining in reversed(range(5)):
            self._port = free_port()
            try:
                self._run()
            except ServerFailed as failure:
                if remaining == 0 or "in use" not in str(failure):
                    raise
            else:
                return

    def stop(self) -> None:
        self._child.stop()

    def kill(self) -> None:
        """SIGKILL, as a crash: up to a second of writes may be lost."""
        self._child.kill()

    def restart(self) -> None:
        """Stop if running, start on the same port."""
        self._child.stop()
        self._run()

    def _run(self) -> None:
        self._write_configuration()
        self._child.start([str(self._program), str(self._configuration)])
        with redis.Redis.from_url(self.url, retry=None) as client:
            self._child.wait_until(lambda: _answers(client), 30)

    def _write_configuration(self) -> None:
        """A file, not arguments: those every user of the machine could read."""
        self._configuration.unlink(missing_ok=True)
        self._configuration.touch(mode=0o600)
        lines = [
            "bind 127.0.0.1",
            f"port {self._port}",
            f"requirepass {self._password}",
            f'dir "{self._data}"',
            "appendonly yes",
            "appendfsync everysec",
            'save ""',
            "daemonize no",
        ]
        self._configuration.write_text("\n".join(lines) + "\n")
        self._account.take(self._configuration)


def _answers(client: redis.Redis) -> bool:
    try:
        return bool(client.ping())
    except (redis.ConnectionError, redis.ResponseError):
        return False
