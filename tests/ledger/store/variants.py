"""The log's tables in the layouts they must run on."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import cast

import psycopg

_MIGRATION = Path(__file__).parents[3] / "migrations" / "versions" / "0001_event_log.py"
PARTITIONS = 16


def log_statements(partitions: int) -> list[str]:
    """The statements of the migration that makes the log, in a layout of our choice."""
    spec = importlib.util.spec_from_file_location("event_log_migration", _MIGRATION)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    statements = cast("Callable[[int], list[str]]", module.statements)
    return statements(partitions)


def partition(owner_url: str) -> None:
    """Make the log of a fresh database anew over hash partitions."""
    with psycopg.connect(owner_url, autocommit=True) as connection:
        connection.execute(
            "DROP TABLE log_head, log_event, journal_entry, idempotency, log_tracking"
        )
        connection.execute("DROP FUNCTION journal_balanced")
        connection.execute("DROP FUNCTION log_append")
        for statement in log_statements(PARTITIONS):
            connection.execute(statement)
