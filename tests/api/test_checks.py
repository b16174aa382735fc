"""May this customer use this feature: the answer, its cache, its time travel, its shortcut."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import httpx2
import pytest

from api.app import create_app
from ledger.events.catalog import FeatureKind
from tests.api.site import Json, Site, Tenant, serving
from tests.api.site import site as running
from tests.conftest import Database
from wiring.embedded import EmbeddedServers

CHECK = "/entitlements/check"


def check(site: Site, key: str, customer: str, feature: str, **more: str | int) -> httpx2.Response:
    return site.get(CHECK, key, customer=customer, feature=feature, **more)


def take_back(site: Site, tenant: Tenant, grant: str) -> int:
    answer = site.post("/admin/revoke", tenant.writer, {"grant": grant, "reason": "over"})
    assert answer.status_code == 200, answer.text
    position: int = answer.json()["position"]
    return position


@pytest.fixture(scope="module")
def ann(site: Site, acme: Tenant) -> Json:
    return site.customer(acme, "ann")


def test_a_gift_is_seen_by_whoever_gave_it(site: Site, acme: Tenant, ann: Json) -> None:
    given = site.grant(acme, "ann", "seats", value=5)
    seen = check(site, acme.reader, "ann", "seats", min_position=given["position"])
    assert seen.status_code == 200, seen.text
    answer = seen.json()
    assert answer["position"] >= given["position"]
    assert answer | {"position": 0, "as_of": ""} == {
        "allowed": True,
        "kind": "limit",
        "value": 5,
        "reason": "grant",
        "source": "grant",
        "valid_until": None,
        "position": 0,
        "as_of": "",
        "feature": "seats",
        "customer": ann["id"],
    }


def test_a_config_is_given_and_told_as_a_document(site: Site, acme: Tenant, ann: Json) -> None:
    site.define(acme, "theme", FeatureKind.CONFIG)
    theme = {"dark": True, "accents": ["#00a37a", 7, None], "font": {"size": 12}}
    given = site.grant(acme, "ann", "theme", value=theme)
    seen = check(site, acme.reader, "ann", "theme", min_position=given["position"]).json()
    assert (seen["allowed"], seen["kind"], seen["value"]) == (True, "config", theme)
    listed = site.get("/entitlements", acme.reader, customer="ann").json()["data"]
    assert theme in [each["value"] for each in listed]
    grants = site.get("/admin/grants", acme.writer, customer="ann").json()["data"]
    assert theme in [each["value"] for each in grants]
    refused = site.post(
        "/admin/grant",
        acme.writer,
        {"customer": "ann", "feature": "theme", "value": "dark", "reason": "a gift"},
    )
    assert refused.status_code == 422, refused.text


def test_a_feature_nobody_gave_is_not_allowed(site: Site, acme: Tenant, ann: Json) -> None:
    answer = check(site, acme.reader, "ann", "no-such-feature").json()
    assert (answer["allowed"], answer["reason"]) == (False, "no_entitlement")


def test_a_block_and_a_revocation_take_away(site: Site, acme: Tenant) -> None:
    site.customer(acme, "bob")
    given = site.grant(acme, "bob", "export")
    blocked = site.post(
        "/admin/revoke",
        acme.writer,
        {"customer": "bob", "feature": "export", "deny": True, "reason": "abuse"},
    ).json()
    denied = check(site, acme.reader, "bob", "export", min_position=blocked["position"]).json()
    assert (denied["allowed"], denied["reason"]) == (False, "denied")
    position = max(take_back(site, acme, grant) for grant in (blocked["id"], given["id"]))
    gone = check(site, acme.reader, "bob", "export", min_position=position).json()
    assert (gone["allowed"], gone["reason"]) == (False, "grant_revoked")


def test_an_end_is_kept_without_anybody_doing_anything(site: Site, acme: Tenant) -> None:
    site.customer(acme, "cid")
    ends = datetime.now(UTC) + timedelta(seconds=1)
    given = site.grant(acme, "cid", "export", expires_at=ends.isoformat())
    before = check(site, acme.reader, "cid", "export", min_position=given["position"]).json()
    assert before["allowed"]
    assert datetime.fromisoformat(before["valid_until"]) == ends
    time.sleep(max(0, (ends - datetime.now(UTC)).total_seconds()))
    after = check(site, acme.reader, "cid", "export").json()
    assert (after["allowed"], after["reason"]) == (False, "grant_expired")


def test_a_past_answer_stays_what_it_was(site: Site, acme: Tenant) -> None:
    site.customer(acme, "dan")
    before = datetime.now(UTC)
    given = site.grant(acme, "dan", "export")
    check(site, acme.reader, "dan", "export", min_position=given["position"])
    after = datetime.now(UTC)
    known_before = check(site, acme.reader, "dan", "export", known_at=before.isoformat()).json()
    known_after = check(site, acme.reader, "dan", "export", known_at=after.isoformat()).json()
    as_of_before = check(site, acme.reader, "dan", "export", as_of=before.isoformat()).json()
    assert [each["allowed"] for each in (known_before, known_after, as_of_before)] == [
        False,
        True,
        False,
    ]
    listed = site.get(
        "/entitlements", acme.reader, customer="dan", known_at=after.isoformat()
    ).json()
    assert listed["data"] == [known_after]
    future = check(
        site, acme.reader, "dan", "export", known_at=(after + timedelta(days=1)).isoformat()
    )
    assert future.status_code == 422


def test_what_is_known_already_is_not_sent_again(site: Site, acme: Tenant, ann: Json) -> None:
    first = check(site, acme.reader, "ann", "seats")
    tag = first.headers["etag"]
    for sent in (tag, f'"x", {tag}', "*"):
        answer = site.call(
            "GET",
            CHECK,
            acme.reader,
            params={"customer": "ann", "feature": "seats"},
            headers={"If-None-Match": sent},
        )
        assert (answer.status_code, answer.content) == (304, b"")
        assert answer.headers["etag"] == tag
    changed = site.grant(acme, "ann", "seats", value=7, effect="override")
    answer = site.call(
        "GET",
        CHECK,
        acme.reader,
        params={"customer": "ann", "feature": "seats", "min_position": changed["position"]},
        headers={"If-None-Match": tag},
    )
    assert (answer.status_code, answer.json()["value"]) == (200, 7)


@pytest.fixture(scope="module")
def plain(site: Site) -> Iterator[Site]:
    """The same installation, served by the framework alone."""
    with serving(site.services, create_app(site.services, shortcut=False)) as address:
        same = Site(site.services, address)
        yield same
        same.http.close()


_ASKED = [
    "customer={id}&feature=seats",
    "feature=seats&customer={id}",
    "customer=ann&feature=seats",
    "customer=ann&feature=unheard-of",
    "customer=ann&feature=%73eats",
    "customer=nobody&feature=seats",
    "customer=00000000-0000-0000-0000-000000000000&feature=seats",
    "customer=&feature=seats",
    "customer=ann",
    "feature=seats",
    "",
    "customer=ann&feature=seats&feature=export",
    "customer=ann&feature=seats&more=1",
    "customer=ann&feature=seats&as_of=yesterday",
    "customer=ann&feature=seats&min_position=-1",
    "customer=ann&feature=%00",
    "customer=%ff&feature=seats",
    "customer=%ED%A0%80&feature=seats",
    "customer=" + "x" * 300 + "&feature=seats",
    "customer=ann;feature=seats",
    "customer=ann&feature=a=b",
]


@pytest.mark.parametrize("query", _ASKED)
@pytest.mark.parametrize("key", ["reader", "writer", "none", "broken", "operator"])
def test_the_shortcut_tells_the_same_as_the_framework(
    site: Site, plain: Site, acme: Tenant, ann: Json, query: str, key: str
) -> None:
    keys = {
        "reader": acme.reader,
        "writer": acme.writer,
        "broken": acme.reader[:-1] + ("a" if acme.reader[-1] != "a" else "b"),
        "operator": "operator-key-of-the-tests",
    }
    headers = {"Authorization": f"Bearer {keys[key]}"} if key in keys else {}
    address = f"/api/v1{CHECK}?{query.format(id=ann['id'])}"
    # Both have their own cache; what differs is when each of them read.
    told = [_told(each.http.get(address, headers=headers)) for each in (site, plain, site)]
    assert told[0] == told[1] == told[2]


def _told(answer: httpx2.Response) -> tuple[int, object, dict[str, str]]:
    document = answer.json()
    for name in ("as_of", "request_id"):
        assert isinstance(document.pop(name, ""), str)
    headers = {
        name: value
        for name, value in answer.headers.items()
        if name not in {"x-request-id", "date", "content-length"}
    }
    assert "x-request-id" in answer.headers
    return answer.status_code, list(document.items()), headers


def test_answers_stay_right_while_redis_is_dead(
    database: Database, embedded: EmbeddedServers
) -> None:
    with running(database.url, embedded.redis_url, entitlement_cache_seconds=0.3) as lonely:
        tenant = lonely.tenant("acme")
        lonely.customer(tenant, "ann")
        assert not check(lonely, tenant.reader, "ann", "export").json()["allowed"]
        embedded.valkey.kill()
        try:
            given = lonely.grant(tenant, "ann", "export")
            seen = check(
                lonely, tenant.reader, "ann", "export", min_position=given["position"]
            ).json()
            assert seen["allowed"]
            lonely.post("/admin/revoke", tenant.writer, {"grant": given["id"], "reason": "over"})
            lonely.until(
                lambda: not check(lonely, tenant.reader, "ann", "export").json()["allowed"]
            )
            ready = lonely.http.get("/ready")
            assert (ready.status_code, ready.json()["status"]) == (200, "degraded")
            assert ready.json()["components"]["redis"]["status"] == "degraded"
        finally:
            embedded.valkey.restart()


def test_answers_come_back_with_the_database(database: Database, embedded: EmbeddedServers) -> None:
    with running(database.url, embedded.redis_url, entitlement_cache_seconds=0) as shaken:
        tenant = shaken.tenant("acme")
        shaken.customer(tenant, "ann")
        assert check(shaken, tenant.reader, "ann", "export").status_code == 200
        embedded.kill_postgres()
        try:
            away = check(shaken, tenant.reader, "ann", "export")
            assert (away.status_code, away.json()["code"]) == (503, "unavailable")
            assert away.headers["retry-after"] == "1"
        finally:
            embedded.restart_postgres()
        shaken.until(lambda: check(shaken, tenant.reader, "ann", "export").status_code == 200)


def test_a_cached_answer_is_dropped_by_a_hint(
    database: Database, embedded: EmbeddedServers
) -> None:
    with running(database.url, embedded.redis_url, entitlement_cache_seconds=3600) as patient:
        tenant = patient.tenant("acme")
        patient.customer(tenant, "ann")
        assert not check(patient, tenant.reader, "ann", "export").json()["allowed"]
        patient.grant(tenant, "ann", "export")
        patient.until(lambda: check(patient, tenant.reader, "ann", "export").json()["allowed"])


def test_without_a_cache_every_answer_is_read(
    database: Database, embedded: EmbeddedServers
) -> None:
    with running(database.url, embedded.redis_url, entitlement_cache_seconds=0) as site:
        tenant = site.tenant("acme")
        site.customer(tenant, "ann")
        instants = {check(site, tenant.reader, "ann", "export").json()["as_of"] for _ in range(5)}
        assert len(instants) == 5
