"""The heartbeat: a row that says which process leads, and when it last was alive."""

from __future__ import annotations

import os
import socket
from datetime import datetime
from typing import Final

from psycopg import Connection
from psycopg.rows import TupleRow

_BEAT: Final = """
    INSERT INTO process_heartbeat (process, holder, at) VALUES (%s, %s, %s)
    ON CONFLICT (process) DO UPDATE SET holder = excluded.holder, at = excluded.at
"""


def beat(connection: Connection[TupleRow], process: str, now: datetime) -> None:
    """Write down that this very process is alive in the role of `process`."""
    connection.execute(_BEAT, (process, f"{socket.gethostname()}:{os.getpid()}", now))
