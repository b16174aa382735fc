"""Reads what customers may use from PostgreSQL, many customers in one question."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from time import monotonic
from typing import Final
from uuid import UUID

import psycopg
from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from api.customer_reference import MEANT, meant_parameters
from ledger.clock import Clock
from ledger.errors import Unavailable
from projections.entitlements import SNAPSHOT, Snapshot, read_snapshots, snapshot_parameters

Asked = tuple[UUID, str]
"""A project, and a customer of it by any name."""

_LONGEST_SECONDS: Final = 5.0
_SETTINGS: Final = """
    SELECT set_config('TimeZone', 'UTC', false),
           set_config('plan_cache_mode', 'force_generic_plan', false),
           set_config('statement_timeout', '5s', false)
"""


@dataclass(frozen=True, slots=True)
class Read:
    """A customer's entitlements as they were read; `at` and `began` are from before the question.

    `at` is our clock's, `began` the monotonic clock's, from which a cache counts.
    """

    snapshot: Snapshot
    at: datetime
    began: float


class SnapshotReader:
    """One asynchronous connection, opened when needed and again after it was lost."""

    def __init__(self, dsn: str, clock: Clock) -> None:
        self._dsn = dsn
        self._clock = clock
        self._connection: AsyncConnection[TupleRow] | None = None

    async def read(self, asked: Sequence[Asked]) -> dict[Asked, Read | None]:
        """What each customer may use, None for one that is not; raises Unavailable."""
        try:
            async with asyncio.timeout(_LONGEST_SECONDS):
                return await self._patiently(asked)
        except (psycopg.OperationalError, psycopg.InterfaceError, TimeoutError) as error:
            await self.close()
            raise Unavailable("the database") from error

    async def close(self) -> None:
        """Close the connection; the next question opens a new one."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()

    async def _patiently(self, asked: Sequence[Asked]) -> dict[Asked, Read | None]:
        reused = self._connection is not None
        try:
            return await self._ask(asked)
        except (psycopg.OperationalError, psycopg.InterfaceError):
            if not reused:
                raise
        # The server may have been restarted since the last question.
        await self.close()
        return await self._ask(asked)

    async def _ask(self, asked: Sequence[Asked]) -> dict[Asked, Read | None]:
        connection = await self._connected()
        at, began = self._clock.now(), monotonic()
        async with connection.cursor(binary=True) as cursor:
            await cursor.execute(MEANT, meant_parameters(asked))
            meant = {asked[place]: customer async for place, customer in cursor}
            if not meant:
                return dict.fromkeys(asked)
            await cursor.execute(SNAPSHOT, snapshot_parameters(set(meant.values())))
            snapshots = read_snapshots(await cursor.fetchall())
        return {
            each: Read(snapshots[meant[each]], at, began) if each in meant else None
            for each in asked
        }

    async def _connected(self) -> AsyncConnection[TupleRow]:
        if self._connection is None:
            connection = await AsyncConnection.connect(
                self._dsn,
                autocommit=True,
                connect_timeout=2,
                prepare_threshold=0,
                fallback_application_name="folio-checks",
            )
            await connection.execute(_SETTINGS)
            self._connection = connection
        return self._connection
