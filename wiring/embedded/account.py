"""Whom the servers run as: PostgreSQL refuses root, so root lends them the account `nobody`."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from wiring.offspring import Privileges


@dataclass(frozen=True, slots=True)
class Account:
    """The operating system account of a server process; `uid` None means our own."""

    uid: int | None = None
    gid: int | None = None

    @property
    def identity(self) -> Privileges:
        """What `subprocess` needs to run a child as this account."""
        if self.uid is None or self.gid is None:
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def can_enter(self, directory: Path) -> bool:
        """Whether this account can reach a directory through all its parents."""
        return self._succeeds("/bin/sh", "-c", 'cd "$1"', "sh", str(directory))

    def can_run(self, binary: Path) -> bool:
        """Whether this account can execute a binary where it lies."""
        return self._succeeds(str(binary), "--version")

    def make_directory(self, directory: Path) -> None:
        """Make a directory that belongs to this account alone."""
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.take(directory)

    def take(self, path: Path) -> None:
        """Give a file or directory to this account."""
        if self.uid is not None and self.gid is not None:
            shutil.chown(path, self.uid, self.gid)

    def _succeeds(self, *argv: str) -> bool:
        if self.uid is None:
            return True
        try:
            done = subprocess.run(
                argv, cwd="/", env={}, capture_output=True, check=False, **self.identity
            )
        except OSError:
            return False
        return done.returncode == 0


def server_account() -> Account:
    """Our own account, or `nobody` when we are root."""
    if os.geteuid() != 0:
        return Account()
    nobody = pwd.getpwnam("nobody")
    return Account(nobody.pw_uid, nobody.pw_gid)
