"""Life signs: alive, ready, and what was counted."""

from __future__ import annotations

from tests.api.site import Site, Tenant
from tests.api.site import site as running
from tests.conftest import Database
from wiring.embedded import EmbeddedServers


def test_a_sound_installation_says_so(site: Site, acme: Tenant) -> None:
    assert site.http.get("/live").json() == {"status": "ok"}
    for path in ("/ready", "/health"):
        answer = site.http.get(path)
        assert answer.status_code == 200
        assert answer.json()["status"] == "ok"
        assert set(answer.json()["components"]) == {
            "database",
            "migrations",
            "projections",
            "redis",
        }


def test_what_was_asked_is_counted(site: Site, acme: Tenant) -> None:
    site.customer(acme, "ann")
    for _ in range(3):
        site.get("/entitlements/check", acme.reader, customer="ann", feature="export")
    text = site.http.get("/metrics").text
    lines = dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    checked = 'folio_http_requests_total{method="GET",operation="check_entitlement",status="2xx"}'
    assert float(lines[checked]) >= 3
    refused = [line for line in lines if line.startswith("folio_entitlement_checks_total")]
    assert any('outcome="refused"' in line and 'source="cache"' in line for line in refused)
    registered = "folio_http_requests_total{"
    assert any(line.startswith(registered) and "register_customer" in line for line in lines)
    assert "ann" not in text


def test_without_its_database_it_is_not_ready(
    database: Database, embedded: EmbeddedServers
) -> None:
    with running(database.url, embedded.redis_url, following=False) as site:
        tenant_key = site.get("/subscriptions", "folio_x")
        assert tenant_key.status_code == 401
        embedded.kill_postgres()
        try:
            assert site.http.get("/live").status_code == 200
            answer = site.http.get("/ready")
            assert (answer.status_code, answer.json()["status"]) == (503, "down")
            health = site.http.get("/health")
            assert (health.status_code, health.json()["status"]) == (200, "down")
        finally:
            embedded.restart_postgres()
        site.until(lambda: site.http.get("/ready").status_code == 200)
