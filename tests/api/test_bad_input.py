"""Whatever is sent to whatever route: an answer below 500, and a problem document when refused."""

from __future__ import annotations

import json
import socket
from typing import Any, Final

import httpx2
import pytest

from tests.api.site import OPERATOR_KEY, Site, Tenant

_READS: Final = [
    "/api/v1/customers/{value}",
    "/api/v1/entitlements?customer={value}",
    "/api/v1/entitlements/check?customer={value}&feature=export",
    "/api/v1/entitlements/check?customer=ann&feature={value}",
    "/api/v1/entitlements/check?customer=ann&feature=export&as_of={value}",
    "/api/v1/entitlements/check?customer=ann&feature=export&known_at={value}",
    "/api/v1/entitlements/check?customer=ann&feature=export&min_position={value}",
    "/api/v1/entitlements?customer=ann&as_of={value}",
    "/api/v1/customers/ann?min_position={value}",
    "/api/v1/subscriptions?customer={value}",
    "/api/v1/subscriptions?status={value}",
    "/api/v1/subscriptions?limit={value}",
    "/api/v1/subscriptions?cursor={value}",
    "/api/v1/subscriptions/{value}",
    "/api/v1/invoices?customer={value}",
    "/api/v1/invoices?status={value}",
    "/api/v1/invoices?limit={value}",
    "/api/v1/invoices?cursor={value}",
    "/api/v1/invoices/{value}",
    "/api/v1/admin/grants?customer={value}",
    "/api/v1/admin/grants?limit={value}",
    "/api/v1/admin/grants?cursor={value}",
    "/api/v1/admin/webhooks?limit={value}",
    "/api/v1/admin/webhooks?cursor={value}",
    "/api/v1/admin/webhooks?status={value}",
    "/api/v1/admin/webhooks?type={value}",
    "/{value}",
    "/health?{value}",
]
_VALUES: Final = {
    "nul": "%00",
    "nul inside": "a%00b",
    "not utf-8": "%ff%fe",
    "surrogate": "%ED%A0%80",
    "negative": "-1",
    "zero": "0",
    "2^63": str(2**63),
    "2^64": str(2**64),
    "many digits": "9" * 4400,
    "fraction": "1.5",
    "underscore": "1_000",
    "not a number": "NaN",
    "empty": "",
    "long": "x" * 5000,
    "quote": "'%22;--",
    "percent": "%",
    "percent s": "%25s",
    "uuid": "018f0000-0000-7000-8000-000000000000",
    "uuid in braces": "%7B018f0000-0000-7000-8000-000000000000%7D",
    "year 0": "0000-01-01T00:00:00Z",
    "year 1": "0001-01-01T00:00:00%2B14:00",
    "year 9999": "9999-12-31T23:59:59-14:00",
    "no zone": "2026-01-01T00:00:00",
    "right to left": "%E2%80%AE",
}


def _is_told_properly(answer: httpx2.Response) -> None:
    assert answer.status_code < 500, answer.text
    if answer.status_code >= 400:
        document = answer.json()
        assert answer.headers["content-type"] == "application/problem+json"
        assert document["status"] == answer.status_code
        assert document["request_id"] == answer.headers["x-request-id"]
        assert set(document) == {
            "type",
            "title",
            "status",
            "detail",
            "instance",
            "code",
            "request_id",
            "errors",
        }


@pytest.mark.parametrize("path", _READS)
def test_reads_bear_any_value(site: Site, acme: Tenant, path: str) -> None:
    key = OPERATOR_KEY if "webhooks" in path else acme.writer
    for value in _VALUES.values():
        _is_told_properly(_send_raw(site, path.format(value=value).encode(), key))


def _send_raw(site: Site, target: bytes, key: str) -> httpx2.Response:
    """A GET whose target no client library has put right first."""
    url = httpx2.URL(site.address)
    request = site.http.build_request(
        "GET",
        url,
        headers={"Authorization": f"Bearer {key}"},
        extensions={"target": target},
    )
    return site.http.send(request)


@pytest.mark.parametrize("target", [b"/\xe9", b"/\xff?\xff", b"/api/v1/customers/\xf0\x9f", b"*"])
def test_bytes_that_no_target_may_have(site: Site, acme: Tenant, target: bytes) -> None:
    address = httpx2.URL(site.address)
    with socket.create_connection((address.host, address.port or 80), 10) as connection:
        key = acme.writer.encode()
        connection.sendall(
            b"GET %s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n\r\n" % (target, key)
        )
        assert connection.recv(65_536).startswith(b"HTTP/1.1 4")


_WRITES: Final[dict[str, dict[str, Any]]] = {
    "/customers": {"external_id": "ann"},
    "/admin/grant": {"customer": "ann", "feature": "export", "reason": "x"},
    "/admin/revoke": {"customer": "ann", "feature": "export", "reason": "x"},
    "/projects": {"slug": "fresh", "name": "Fresh"},
    "/projects/{project}/apps": {"name": "app"},
    "/apps/{app}/keys": {"scope": "read"},
    "/apps/{app}/keys/000000000000/rotate": {"overlap_seconds": 1},
    "/apps/{app}/keys/000000000000/revoke": {"reason": "x"},
    "/admin/webhooks/{app}/replay": {},
}
_BODIES: Final[dict[str, bytes]] = {
    "empty": b"",
    "nothing": b"null",
    "list": b"[]",
    "text": b'"x"',
    "number": b"1",
    "truncated": b'{"external_id": "a',
    "two documents": b"{}{}",
    "bom": b"\xef\xbb\xbf{}",
    "utf-16": '{"external_id": "a"}'.encode("utf-16"),
    "not utf-8": b'{"external_id": "\xff"}',
    "nan": b'{"external_id": NaN}',
    "infinity": b'{"external_id": -Infinity}',
    "1e400": b'{"external_id": 1e400}',
    "huge number": b'{"external_id": ' + b"9" * 4400 + b"}",
    "nul": b'{"external_id": "a\\u0000b"}',
    "surrogate": b'{"external_id": "\\ud800"}',
    "surrogate key": b'{"\\udfff": 1}',
    "duplicate keys": b'{"external_id": "a", "external_id": "b"}',
    "escaped duplicate keys": b'{"external_id": "a", "external\\u005fid": "b"}',
    "deep": b'{"external_id": ' + b"[" * 500 + b"]" * 500 + b"}",
    "very deep": b"[" * 50_000,
    "large": b'{"external_id": "' + b"x" * 100_000 + b'"}',
    "unknown field": b'{"no_such_field": 1}',
}


@pytest.mark.parametrize("path", _WRITES)
@pytest.mark.parametrize("kind", _BODIES)
def test_writes_refuse_any_body_that_is_none(
    site: Site, acme: Tenant, path: str, kind: str
) -> None:
    answer = _post(site, acme, path, _BODIES[kind])
    _is_told_properly(answer)
    if not path.endswith("/replay"):  # which takes no body at all
        assert answer.status_code in (400, 413, 422), answer.text


_FIELDS: Final[list[object]] = [
    "",
    "a\u0000b",
    "tab\t",
    "x" * 256,
    "\u202e",
    0,
    -1,
    1.0,
    True,
    None,
    2**63,
    10**15 + 1,
    [],
    {},
    ["a"],
    {"a": 1},
    "2026-01-01T00:00:00",
    "1",
]
_OPTIONAL: Final = {
    "/customers": [],
    "/admin/grant": ["value", "starts_at", "expires_at", "effect"],
    "/admin/revoke": ["grant", "deny", "expires_at"],
    "/projects": ["stripe_account"],
}


@pytest.mark.parametrize("path", _WRITES)
def test_writes_bear_any_value_in_any_field(site: Site, acme: Tenant, path: str) -> None:
    asked = _WRITES[path]
    for field in [*asked, *_OPTIONAL.get(path, [])]:
        for value in _FIELDS:
            _is_told_properly(_post(site, acme, path, json.dumps(asked | {field: value}).encode()))


@pytest.mark.parametrize("media_type", [None, "text/plain", "application/xml", "application/jsonx"])
def test_a_body_that_is_not_declared_as_json(
    site: Site, acme: Tenant, media_type: str | None
) -> None:
    answer = _post(site, acme, "/customers", b"{}", media_type)
    _is_told_properly(answer)
    assert answer.status_code == 415


def test_other_methods_and_addresses_are_problems_too(site: Site, acme: Tenant) -> None:
    for method, path, status in (
        ("DELETE", "/api/v1/customers", 405),
        ("PUT", "/api/v1/entitlements/check", 405),
        ("POST", "/health", 405),
        ("GET", "/api/v1/nowhere", 404),
        ("GET", "/api/v1/customers/", 404),
        ("GET", "//", 404),
        ("OPTIONS", "/api/v1/customers", 405),
    ):
        answer = site.http.request(method, site.address + path)
        _is_told_properly(answer)
        assert answer.status_code == status, (method, path)


def _post(
    site: Site,
    acme: Tenant,
    path: str,
    body: bytes,
    media_type: str | None = "application/json",
) -> httpx2.Response:
    of_app = path in ("/customers", "/admin/grant", "/admin/revoke")
    headers = {"Content-Type": media_type} if media_type else {}
    return site.call(
        "POST",
        path.format(project=acme.project, app=acme.app),
        acme.writer if of_app else OPERATOR_KEY,
        content=body,
        headers=headers,
    )
