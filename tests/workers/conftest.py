"""A shop whose services are this process's own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.workers.shop import Shop


@pytest.fixture
def shop(database_url: str, redis_url: str) -> Iterator[Shop]:
    opened = Shop.open(database_url, redis_url)
    yield opened
    opened.services.close()
