"""API keys: their shape, their life and death, what they open and what they do not."""

from __future__ import annotations

import re

import pytest

from api.api_key import key_id_of, mint
from api.errors import MalformedKey
from tests.api.site import OPERATOR_KEY, Site, Tenant
from tests.api.site import site as running
from tests.conftest import Database
from wiring.embedded import EmbeddedServers


def opens(site: Site, key: str) -> bool:
    status = site.get("/subscriptions", key).status_code
    assert status in (200, 401)
    return status == 200


def test_a_key_says_its_id_and_notices_a_slip() -> None:
    key = mint()
    assert re.fullmatch(r"folio_[0-9A-Za-z]{12}_[0-9A-Za-z]{32}_[0-9A-Za-z]{6}", key.token)
    assert key_id_of(key.token) == key.key_id
    assert key.token not in repr(key)
    slips = [key.token[:at] + "-" + key.token[at + 1 :] for at in range(len(key.token))]
    swapped = key.token[:20] + key.token[21] + key.token[20] + key.token[22:]
    for slip in {*slips, swapped, key.token[:-1], key.token + "x", "", "folio_"} - {key.token}:
        with pytest.raises(MalformedKey):
            key_id_of(slip)


def test_a_key_is_refused_with_the_reason(site: Site, acme: Tenant) -> None:
    unknown = site.get("/subscriptions", mint().token)
    assert (unknown.status_code, unknown.json()["code"]) == (401, "unauthenticated")
    assert unknown.headers["www-authenticate"] == "Bearer"
    mistyped = site.get("/subscriptions", acme.reader[:-1])
    assert (mistyped.status_code, mistyped.json()["code"]) == (401, "malformed_key")
    assert site.http.get("/api/v1/subscriptions").status_code == 401
    forged = acme.reader[:20] + mint().token[20:]
    assert site.get("/subscriptions", forged).status_code == 401


def test_a_key_is_shown_once(site: Site, acme: Tenant) -> None:
    key = {"Idempotency-Key": "a-key"}
    path = f"/apps/{acme.app}/keys"
    first = site.post(path, OPERATOR_KEY, {"scope": "read"}, key).json()
    again = site.post(path, OPERATOR_KEY, {"scope": "read"}, key)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert first["token"]
    assert again.json() == first | {"token": None}


def test_a_reading_key_does_not_write(site: Site, acme: Tenant) -> None:
    for path in ("/customers", "/admin/grant", "/admin/revoke"):
        asked = {"customer": "ann", "feature": "export", "reason": "x"}
        refused = site.post(path, acme.reader, {} if path == "/customers" else asked)
        assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
    assert site.get("/admin/grants", acme.reader).status_code == 403


def test_a_revoked_key_is_dead_soon_and_stays_dead(site: Site, acme: Tenant) -> None:
    made = site.post(f"/apps/{acme.app}/keys", OPERATOR_KEY, {"scope": "read"}).json()
    site.until(lambda: opens(site, made["token"]))
    path = f"/apps/{acme.app}/keys/{made['id']}/revoke"
    revoked = site.post(path, OPERATOR_KEY, {"reason": "leaked"})
    assert revoked.status_code == 200
    site.until(lambda: not opens(site, made["token"]), patience=5)
    again = site.post(path, OPERATOR_KEY, {"reason": "leaked"})
    assert (again.status_code, again.json()["code"]) == (409, "ended")


def test_a_rotated_key_lives_beside_its_successor(site: Site, acme: Tenant) -> None:
    old = site.post(f"/apps/{acme.app}/keys", OPERATOR_KEY, {"scope": "read"}).json()
    rotated = site.post(f"/apps/{acme.app}/keys/{old['id']}/rotate", OPERATOR_KEY, {})
    assert rotated.status_code == 201
    site.until(lambda: opens(site, rotated.json()["token"]))
    assert opens(site, old["token"])
    path = f"/apps/{acme.app}/keys/{rotated.json()['id']}/rotate"
    last = site.post(path, OPERATOR_KEY, {"overlap_seconds": 0}).json()
    site.until(lambda: opens(site, last["token"]))
    site.until(lambda: not opens(site, rotated.json()["token"]), patience=5)


def test_a_key_dies_even_while_every_read_model_stands_still(
    database: Database, embedded: EmbeddedServers
) -> None:
    with running(database.url, embedded.redis_url) as site:
        tenant = site.tenant("acme")
    with running(database.url, "redis://127.0.0.1:1/0", following=False) as alone:
        assert opens(alone, tenant.reader)
        path = f"/apps/{tenant.app}/keys/{tenant.key_id}/revoke"
        assert alone.post(path, OPERATOR_KEY, {"reason": "leaked"}).status_code == 200
        alone.until(lambda: not opens(alone, tenant.reader), patience=5)


@pytest.mark.parametrize("key", [None, "wrong", "schlüssel"])
def test_the_operators_doors_need_the_operators_key(
    site: Site, acme: Tenant, key: str | None
) -> None:
    headers = {b"Authorization": f"Bearer {key}".encode()} if key is not None else {}
    for path in ("/projects", f"/projects/{acme.project}/apps", f"/apps/{acme.app}/keys"):
        answer = site.http.post(f"/api/v1{path}", headers=headers, json={})
        assert answer.status_code == 401
    assert site.http.get("/api/v1/admin/webhooks", headers=headers).status_code == 401
    assert site.get("/admin/webhooks", acme.writer).status_code == 401
