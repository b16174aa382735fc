"""A process that keeps the payments up with the log until it is killed."""

from __future__ import annotations

import sys

from ledger.clock import SystemClock
from ledger.store.postgres_log import PostgresLog
from projections.payments import PAYMENTS
from projections.runner import Runner
from tests.projections.history import no_entry


def work(dsn: str, batch: int) -> None:
    """Take events in, a small batch at a time, and say so."""
    log = PostgresLog(dsn, SystemClock(), post=no_entry)
    runner = Runner(log, dsn, [PAYMENTS], SystemClock(), batch=batch)
    while True:
        runner.run_once()
        sys.stdout.write("batch\n")
        sys.stdout.flush()


if __name__ == "__main__":
    work(sys.argv[1], int(sys.argv[2]))
