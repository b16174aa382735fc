"""Sharing questions: what arrives while one is under way goes into the next."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from api.coalescing import Coalescing


class Books:
    """Answers after being told to, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []
        self.gate = asyncio.Event()
        self.failure: Exception | None = None

    async def read(self, keys: Sequence[str]) -> dict[str, str]:
        self.asked.append(list(keys))
        await self.gate.wait()
        if self.failure is not None:
            raise self.failure
        return {key: key.upper() for key in keys}


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def test_who_comes_late_shares_the_next_question() -> None:
    async def story() -> None:
        books = Books()
        lookups = Coalescing(books.read)
        first = asyncio.create_task(lookups.get("a"))
        await settle()
        late = [asyncio.create_task(lookups.get(key)) for key in ("a", "b", "b", "c")]
        await settle()
        books.gate.set()
        assert await asyncio.gather(first, *late) == ["A", "A", "B", "B", "C"]
        assert books.asked == [["a"], ["a", "b", "c"]]

    asyncio.run(story())


def test_a_failure_reaches_who_shared_it_and_nobody_else() -> None:
    async def story() -> None:
        books = Books()
        lookups = Coalescing(books.read)
        books.failure = ValueError("down")
        tasks = [asyncio.create_task(lookups.get(key)) for key in ("a", "a")]
        await settle()
        books.gate.set()
        for failed in await asyncio.gather(*tasks, return_exceptions=True):
            assert isinstance(failed, ValueError)
        books.failure = None
        assert await lookups.get("a") == "A"

    asyncio.run(story())


def test_who_leaves_does_not_take_the_answer_along() -> None:
    async def story() -> None:
        books = Books()
        lookups = Coalescing(books.read)
        impatient = asyncio.create_task(lookups.get("a"))
        await settle()
        patient = asyncio.create_task(lookups.get("b"))
        await settle()
        impatient.cancel()
        books.gate.set()
        assert await patient == "B"
        with pytest.raises(asyncio.CancelledError):
            await impatient

    asyncio.run(story())


def test_closing_lets_nobody_wait() -> None:
    async def story() -> None:
        lookups = Coalescing(Books().read)
        waiting = [asyncio.create_task(lookups.get(key)) for key in ("a", "b")]
        await settle()
        waiting.append(asyncio.create_task(lookups.get("c")))
        await settle()
        await lookups.close()
        for told in await asyncio.gather(*waiting, return_exceptions=True):
            assert isinstance(told, asyncio.CancelledError)

    asyncio.run(story())
