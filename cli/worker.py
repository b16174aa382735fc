"""`folio worker`: follow the log, fold what was left behind, carry out messages."""

from __future__ import annotations

from typing import Annotated

import typer


def worker(
    threads: Annotated[
        int, typer.Option(min=1, max=64, help="Threads that carry out messages.")
    ] = 4,
) -> None:
    """Keep read models up with the log, sweep up webhooks and carry out messages.

    Needs DATABASE_URL and REDIS_URL. Any number may run. SIGTERM finishes what is begun. Exits 2
    when a setting is missing, 3 when the database does not answer at the start.
    """
    from cli.process import services
    from workers.main import run_worker, stop_on_signal

    stopping = stop_on_signal()
    with services() as running:
        run_worker(running, stopping, threads)
