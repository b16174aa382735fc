"""A process that writes to the log and says what was acknowledged: one line for each append.

`python -m tests.faults.log_writer steady URL WRITER APPENDS`: small appends of several owners.
`python -m tests.faults.log_writer keyed URL WRITER FROM APPENDS`: keyed ones of one owner, each
tried again until its outcome is known.
"""

from __future__ import annotations

import random
import sys
import time
from datetime import timedelta
from uuid import UUID

from ledger.clock import SystemClock
from ledger.errors import Unavailable
from ledger.ids import owner_id
from ledger.journal.posting_rules import entry_for
from ledger.store.event_log import Append, Receipt
from ledger.store.postgres_log import PostgresLog
from tests.ledger.store.samples import append_of, identified, keyed, new_events

OWNERS_PER_WRITER = 20


def owner_of(writer: str) -> UUID:
    return owner_id("writer", writer)


def key_of(writer: str, number: int) -> str:
    return f"{writer}-{number}"


def write_steadily(url: str, writer: str, appends: int) -> None:
    """Appends of one to four events; says `stream version` for each acknowledged event."""
    chance = random.Random(writer)
    log = PostgresLog(url, SystemClock(), post=entry_for)
    versions = dict.fromkeys((owner_id(writer, str(n)) for n in range(OWNERS_PER_WRITER)), 0)
    for number in range(appends):
        owner = chance.choice(list(versions))
        names = [identified(f"{number}-{n}") for n in range(chance.randint(1, 4))]
        append = append_of(owner, new_events(owner, *names, after=versions[owner]))
        log.append(append)
        versions[owner] += len(names)
        for new in append.events:
            sys.stdout.write(f"{new.stream} {new.version}\n")
    log.close()


def write_keyed(url: str, writer: str, start: int, appends: int) -> None:
    """One event under each key; says its number when it is acknowledged."""
    owner = owner_of(writer)
    log = PostgresLog(url, SystemClock(), post=entry_for, patience=timedelta(milliseconds=200))
    for number in range(start, start + appends):
        event = identified(key_of(writer, number))
        append = append_of(
            owner, new_events(owner, event, after=number), keyed=keyed(key_of(writer, number))
        )
        _until_known(log, append)
        sys.stdout.write(f"{number}\n")
        sys.stdout.flush()
    log.close()


def _until_known(log: PostgresLog, append: Append) -> Receipt:
    while True:
        try:
            return log.append(append)
        except Unavailable:
            time.sleep(0.02)


def main() -> None:
    match sys.argv[1:]:
        case ["steady", url, writer, appends]:
            write_steadily(url, writer, int(appends))
        case ["keyed", url, writer, start, appends]:
            write_keyed(url, writer, int(start), int(appends))


if __name__ == "__main__":
    main()
