"""Child processes that end when we end, however we end."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, TypedDict

_PR_SET_PDEATHSIG: Final = 1
_LIBC: Final = ctypes.CDLL(None) if sys.platform == "linux" else None

# Linux sends the death signal when the *thread* that started a child ends. One thread that lives
# as long as the process starts them all, so that a caller's short-lived thread kills nothing.
_STARTER: Final = ThreadPoolExecutor(max_workers=1, thread_name_prefix="offspring")


class Privileges(TypedDict, total=False):
    """What sets a child apart from us: another user, a stricter umask; nothing by default."""

    user: int
    group: int
    extra_groups: list[int]
    umask: int


def spawn(
    argv: list[str],
    *,
    log: Path,
    environment: Mapping[str, str],
    last_word: signal.Signals = signal.SIGTERM,
    folder: Path | None = None,
    privileges: Privileges | None = None,
) -> subprocess.Popen[bytes]:
    """Start a program that writes to `log` and is sent `last_word` should we die.

    It gets a session of its own: Ctrl-C in the terminal reaches us alone, and we stop our children
    in the order they depend on each other.
    """
    parent = os.getpid()

    def die_with_parent() -> None:
        if _LIBC is not None:
            _LIBC.prctl(_PR_SET_PDEATHSIG, int(last_word))
            if os.getppid() != parent:
                os._exit(1)

    def start() -> subprocess.Popen[bytes]:
        with log.open("ab") as output:
            return subprocess.Popen(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=folder,
                env=environment,
                start_new_session=True,
                preexec_fn=die_with_parent,  # noqa: PLW1509 - only prctl, resolved before the fork
                **(privileges or {}),
            )

    return _STARTER.submit(start).result()


def keep_last_log(log: Path) -> None:
    """Keep the log of the run before beside the one that begins."""
    if log.exists():
        log.replace(log.with_suffix(".previous.log"))
