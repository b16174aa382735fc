"""Projects and apps over HTTP."""

from __future__ import annotations

from uuid import uuid4

import pytest

from tests.api.site import OPERATOR_KEY, Json, Site, Tenant


def test_a_slug_is_taken_once(site: Site, acme: Tenant) -> None:
    again = site.post("/projects", OPERATOR_KEY, {"slug": "acme", "name": "Acme"})
    assert (again.status_code, again.json()["code"]) == (409, "already_exists")


def test_an_account_has_one_home(site: Site, acme: Tenant) -> None:
    asked = {"slug": "thief", "name": "T", "stripe_account": {"account": "acct_1"}}
    refused = site.post("/projects", OPERATOR_KEY, asked)
    assert (refused.status_code, refused.json()["code"]) == (409, "already_exists")


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"slug": "x"},
        {"slug": "X", "name": "x"},
        {"slug": "-x", "name": "x"},
        {"slug": "x" * 64, "name": "x"},
        {"slug": "x", "name": ""},
        {"slug": "x", "name": "a\tb"},
        {"slug": 5, "name": "x"},
        {"slug": "x", "name": "x", "more": 1},
        {"slug": "x", "name": "x", "stripe_account": {"account": "a", "livemode": "false"}},
    ],
)
def test_a_project_that_cannot_be(site: Site, asked: Json) -> None:
    refused = site.post("/projects", OPERATOR_KEY, asked)
    assert refused.status_code == 422
    assert refused.json()["errors"]


def test_nothing_is_made_under_what_is_not_there(site: Site, acme: Tenant) -> None:
    nowhere = uuid4()
    for path, asked in (
        (f"/projects/{nowhere}/apps", {"name": "x"}),
        (f"/projects/{acme.app}/apps", {"name": "x"}),
        (f"/apps/{nowhere}/keys", {}),
        (f"/apps/{acme.project}/keys", {}),
        (f"/apps/{acme.app}/keys/{'x' * 12}/rotate", {}),
        (f"/apps/{acme.app}/keys/{'x' * 12}/revoke", {"reason": "x"}),
    ):
        answer = site.post(path, OPERATOR_KEY, asked)
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found"), path
