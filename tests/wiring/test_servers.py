"""Which servers a process works on."""

from __future__ import annotations

import secrets
import tempfile
from pathlib import Path

import pytest

from wiring.embedded import EmbeddedServers
from wiring.migrate import applied_revision, newest_revision
from wiring.servers import open_servers
from wiring.settings import Settings, environment_name


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for field in Settings.model_fields:
        monkeypatch.delenv(environment_name(field), raising=False)
    monkeypatch.chdir(tmp_path)


def test_servers_that_are_set_are_used_and_migrated(
    database_url: str, owner_database_url: str, redis_url: str, tmp_path: Path
) -> None:
    settings = Settings(
        database_url=database_url,
        migration_database_url=owner_database_url,
        redis_url=redis_url,
        data_dir=tmp_path / "unused",
    )
    with open_servers(settings) as servers:
        assert (servers.database_url, servers.redis_url) == (database_url, redis_url)
    assert not settings.data_dir.exists()


def test_what_is_not_set_is_embedded_and_migrated() -> None:
    data_dir = Path(tempfile.gettempdir()) / f"folio-servers-{secrets.token_hex(4)}"
    try:
        with open_servers(Settings(data_dir=data_dir)) as servers:
            assert "folio_app" in servers.database_url
            assert applied_revision(servers.database_url) == newest_revision()
            assert newest_revision() is not None
    finally:
        EmbeddedServers(data_dir).destroy()
