"""An installation that serves all tests of a module."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.api.site import Site, Tenant
from tests.api.site import site as running
from tests.conftest import Database
from wiring.embedded import EmbeddedServers


@pytest.fixture(scope="module")
def site(module_database: Database, embedded: EmbeddedServers) -> Iterator[Site]:
    with running(module_database.url, embedded.redis_url) as started:
        yield started


@pytest.fixture(scope="module")
def acme(site: Site) -> Tenant:
    """The project most tests are about."""
    return site.tenant("acme", stripe_account={"account": "acct_1", "livemode": False})


@pytest.fixture(scope="module")
def other(site: Site) -> Tenant:
    """Somebody else's project."""
    return site.tenant("other")
