"""`folio scheduler`: have what falls due decided."""

from __future__ import annotations


def scheduler() -> None:
    """Record the ends of trials, of grace and of grants when they come.

    Needs DATABASE_URL and REDIS_URL. Several may run: one leads, and when it ends another takes
    over. SIGTERM stops it. Exits 2 when a setting is missing, 3 when the database does not answer
    at the start.
    """
    from cli.process import services
    from workers.main import run_scheduler, stop_on_signal

    stopping = stop_on_signal()
    with services() as running:
        run_scheduler(running, stopping)
