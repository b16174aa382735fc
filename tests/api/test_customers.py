"""Customers over HTTP: brought in once, found by both names, shown to their project alone."""

from __future__ import annotations

import pytest

from tests.api.site import Site, Tenant


def test_a_customer_is_found_by_our_id_and_by_the_apps_own(site: Site, acme: Tenant) -> None:
    made = site.customer(acme, "ann")
    by_id = site.get(f"/customers/{made['id']}", acme.reader)
    by_name = site.get("/customers/ann", acme.reader)
    assert by_id.json() == by_name.json()
    assert by_id.json()["external_id"] == "ann"
    assert by_id.json()["providers"] == []


def test_the_same_key_gives_the_same_answer(site: Site, acme: Tenant) -> None:
    key = {"Idempotency-Key": "once"}
    first = site.post("/customers", acme.writer, {"external_id": "bob"}, key)
    again = site.post("/customers", acme.writer, {"external_id": "bob"}, key)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.content == again.content
    assert "Idempotent-Replayed" not in first.headers
    assert again.headers["Idempotent-Replayed"] == "true"


def test_the_same_key_with_another_input_is_refused(site: Site, acme: Tenant) -> None:
    key = {"Idempotency-Key": "twice"}
    site.post("/customers", acme.writer, {"external_id": "cid"}, key)
    other = site.post("/customers", acme.writer, {"external_id": "dan"}, key)
    assert other.status_code == 409
    assert other.json()["code"] == "idempotency_key_reused"


def test_keys_of_two_projects_do_not_meet(site: Site, acme: Tenant, other: Tenant) -> None:
    key = {"Idempotency-Key": "shared"}
    for tenant in (acme, other):
        assert site.post("/customers", tenant.writer, {}, key).status_code == 201


def test_a_user_id_is_taken_once(site: Site, acme: Tenant) -> None:
    site.customer(acme, "eve")
    again = site.post("/customers", acme.writer, {"external_id": "eve"})
    assert again.status_code == 409
    assert again.json()["code"] == "already_exists"


def test_a_customer_without_a_name_is_one(site: Site, acme: Tenant) -> None:
    made = site.post("/customers", acme.writer, {}).json()
    found = site.get(f"/customers/{made['id']}", acme.reader, min_position=made["position"])
    assert found.json()["external_id"] is None


@pytest.mark.parametrize("key", [None, "", "x" * 256, "smörgås".encode(), b"tab\there"])
def test_an_unsafe_call_needs_a_printable_key(
    site: Site, acme: Tenant, key: str | bytes | None
) -> None:
    headers = {"Authorization": f"Bearer {acme.writer}"}
    if key is not None:
        headers["Idempotency-Key"] = key  # type: ignore[assignment]
    answer = site.http.post("/api/v1/customers", headers=headers, json={})
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_position_nobody_was_given_is_refused(site: Site, acme: Tenant) -> None:
    site.customer(acme, "fay")
    answer = site.get("/customers/fay", acme.reader, min_position=10**9)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "min_position"
