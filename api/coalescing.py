"""Lookups that arrive while one question is under way share the next one."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import Final, Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")

# While an answer is read nobody else is served: so many keys take about two milliseconds.
_MOST: Final = 64


class Coalescing(Generic[K, V]):
    """One question at a time for whatever is wanted by then; belongs to one event loop.

    `read` answers for many keys at once; what it raises reaches everyone who shared the question.
    """

    def __init__(self, read: Callable[[Sequence[K]], Awaitable[Mapping[K, V]]]) -> None:
        self._read = read
        self._wanted: dict[K, asyncio.Future[V]] = {}
        self._asking: asyncio.Task[None] | None = None

    async def get(self, key: K) -> V:
        """The value of a key, read after this call."""
        # Whoever gives up waiting must not take the answer away from the others.
        return await asyncio.shield(self._want(key))

    async def get_all(self, keys: Collection[K]) -> dict[K, V]:
        """The values of keys, read after this call, without those that could not be read."""
        wanted = {key: self._want(key) for key in keys}
        await asyncio.wait(wanted.values())
        return {
            key: future.result()
            for key, future in wanted.items()
            if not future.cancelled() and future.exception() is None
        }

    async def close(self) -> None:
        """Stop asking; who still waits is told so by cancellation."""
        if self._asking is not None:
            self._asking.cancel()
            await asyncio.gather(self._asking, return_exceptions=True)

    def _want(self, key: K) -> asyncio.Future[V]:
        future = self._wanted.get(key)
        if future is None:
            future = self._wanted[key] = asyncio.get_running_loop().create_future()
            if self._asking is None:
                self._asking = asyncio.create_task(self._ask())
        return future

    async def _ask(self) -> None:
        try:
            while self._wanted:
                batch = dict(list(self._wanted.items())[:_MOST])
                for key in batch:
                    del self._wanted[key]
                await self._answer(batch)
        finally:
            self._asking = None
            for future in self._wanted.values():
                future.cancel()
            self._wanted.clear()

    async def _answer(self, batch: dict[K, asyncio.Future[V]]) -> None:
        try:
            found = await self._read(list(batch))
        except asyncio.CancelledError:
            for future in batch.values():
                future.cancel()
            raise
        except Exception as error:  # noqa: BLE001  # it is theirs who asked
            for future in batch.values():
                future.set_exception(error)
                future.exception()  # seen, even when everybody has gone
            return
        for key, future in batch.items():
            future.set_result(found[key])
