"""The account on disk: one JSON file, replaced as a whole."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Final

import msgspec

from simulation.stripe.account import Account
from simulation.stripe.store import Obj

_EVERY: Final = 1.0


def read(path: Path) -> Obj:
    kept: Obj = msgspec.json.decode(path.read_bytes())
    return kept


def write(path: Path, account: Account) -> None:
    """Replace the file in one step: a crash leaves the old one or the new one."""
    draft = path.with_suffix(".tmp")
    with draft.open("wb") as file:
        file.write(msgspec.json.encode(account.dump()))
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


class Keeper:
    """A thread that writes the account down soon after it changed, and once more at the end."""

    def __init__(self, path: Path, lock: threading.RLock, account: Account) -> None:
        self._path = path
        self._lock = lock
        self._account = account
        self._written = -1
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="stripe-state", daemon=True)

    def start(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join()
        self._write()

    def _run(self) -> None:
        while not self._stopping.wait(_EVERY):
            self._write()

    def _write(self) -> None:
        with self._lock:
            if self._written != self._account.revision:
                write(self._path, self._account)
                self._written = self._account.revision
