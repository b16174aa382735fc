"""The published description: every operation, its answers and its problems."""

from __future__ import annotations

from typing import Any

from api.doorway import OPERATIONS
from tests.api.site import Site


def operations(site: Site) -> dict[str, dict[str, Any]]:
    document = site.http.get("/openapi.json").json()
    return {
        f"{method.upper()} {path}": operation
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }


def test_what_is_offered(site: Site) -> None:
    assert sorted(operations(site)) == sorted(
        """
        POST /api/v1/customers
        GET /api/v1/customers/{customer}
        GET /api/v1/entitlements
        GET /api/v1/entitlements/check
        POST /api/v1/admin/grant
        POST /api/v1/admin/revoke
        GET /api/v1/admin/grants
        GET /api/v1/subscriptions
        GET /api/v1/subscriptions/{subscription}
        GET /api/v1/invoices
        GET /api/v1/invoices/{invoice}
        POST /api/v1/webhooks/stripe
        GET /api/v1/admin/webhooks
        POST /api/v1/admin/webhooks/{webhook}/replay
        POST /api/v1/projects
        POST /api/v1/projects/{project}/apps
        POST /api/v1/apps/{app}/keys
        POST /api/v1/apps/{app}/keys/{key_id}/rotate
        POST /api/v1/apps/{app}/keys/{key_id}/revoke
        GET /health
        GET /ready
        GET /live
        GET /metrics
        """.strip()
        .replace("        ", "")
        .splitlines()
    )


def test_each_operation_says_what_it_does_and_how_it_fails(site: Site) -> None:
    for name, operation in operations(site).items():
        assert operation["description"], name
        if "/api/v1" not in name:
            continue
        good = [status for status in operation["responses"] if status.startswith("2")]
        schema = operation["responses"][good[0]]["content"]["application/json"]["schema"]
        assert schema, name
        bad = {status for status in operation["responses"] if status[0] in "45"}
        assert bad >= {"400", "422", "503"}, name
        for status in bad:
            content = operation["responses"][status]["content"]
            assert list(content) == ["application/problem+json"], (name, status)


def test_everything_referred_to_is_described(site: Site) -> None:
    text = site.http.get("/openapi.json").text
    document = site.http.get("/openapi.json").json()
    referred = {part.partition('"')[0] for part in text.split("#/components/schemas/")[1:]}
    assert referred <= set(document["components"]["schemas"])
    assert site.http.get("/docs").status_code == 200


def test_every_operation_is_counted_under_its_name(site: Site) -> None:
    functions = {each["operationId"].partition("_api_v1")[0] for each in operations(site).values()}
    named = {name for name in OPERATIONS if any(each.startswith(name) for each in functions)}
    assert named == set(OPERATIONS)
