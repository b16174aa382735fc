"""Child processes of a test, never outliving it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path


def start(module: str, *arguments: object, output: Path | None = None) -> subprocess.Popen[bytes]:
    """Run a module of the tests as a process of its own; what it says is added to `output`."""
    command = [sys.executable, "-m", module, *map(str, arguments)]
    if output is None:
        return subprocess.Popen(command)
    with output.open("a") as opened:
        return subprocess.Popen(command, stdout=opened)


@contextmanager
def ended(processes: Sequence[subprocess.Popen[bytes]]) -> Iterator[None]:
    """Whatever happens in the block, the processes do not run after it."""
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            process.wait()
