"""Our calls to Stripe, through its own package at the pinned version.

An answer is an observation at the time its `Date` header says: Stripe's clock, never ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final
from urllib.parse import quote

import stripe

from ledger.errors import NotFound, Unavailable
from ledger.facts import ProviderAccount
from providers.port import ProviderRefused, Reading, UnknownShape
from providers.strict_json import MalformedPayload, decode
from providers.stripe import API_VERSION
from providers.stripe.normalise import normalise_object

_NAME: Final = "Stripe"
_PAGE: Final = 100
_NOT_FOUND: Final = 404
_REFUSALS: Final = range(400, 500)
_AGAIN_LATER: Final = frozenset({409, 429})
_PATIENCE: Final = 60  # seconds: an advised wait beyond this is no advice


class StripeGateway:
    """One Stripe account asked for the present state of its objects; a Gateway.

    `connected_account` speaks for another account by Connect. Safe to share among threads.
    """

    def __init__(
        self,
        secret_key: str,
        account: ProviderAccount,
        *,
        api_base: str | None = None,
        connected_account: str | None = None,
        timeout_seconds: float = 20,
        retries: int = 2,
    ) -> None:
        self._account = account
        self._client = stripe.StripeClient(
            secret_key,
            stripe_account=connected_account,
            stripe_version=API_VERSION,
            base_addresses={"api": api_base} if api_base else None,
            max_network_retries=retries,
            http_client=stripe.RequestsClient(timeout=timeout_seconds),
        )

    def customer(self, provider_id: str) -> Reading:
        return self._observe("customer", "/v1/customers", provider_id)

    def product(self, provider_id: str) -> Reading:
        return self._observe("product", "/v1/products", provider_id)

    def price(self, provider_id: str) -> Reading:
        return self._observe("price", "/v1/prices", provider_id)

    def subscription(self, provider_id: str) -> Reading:
        """The subscription with all of its items."""
        fields, at = self._retrieve("subscription", "/v1/subscriptions", provider_id)
        items = self._whole_list(fields, "items", "/v1/subscription_items", provider_id)
        return self._normalise({**fields, "items": items}, at)

    def invoice(self, provider_id: str) -> Reading:
        """The invoice with all of its lines and the payments that went to it."""
        fields, at = self._retrieve("invoice", "/v1/invoices", provider_id, expand=["payments"])
        path = f"/v1/invoices/{quote(provider_id, safe='')}/lines"
        lines = self._whole_list(fields, "lines", path, None)
        return self._normalise({**fields, "lines": lines}, at)

    def _observe(self, kind: str, path: str, provider_id: str) -> Reading:
        return self._normalise(*self._retrieve(kind, path, provider_id))

    def _normalise(self, fields: Mapping[str, object], at: datetime) -> Reading:
        livemode = fields.get("livemode")
        if livemode is not None and livemode is not self._account.livemode:
            raise UnknownShape("livemode", "is not the mode of this account")
        return normalise_object(fields, self._account, at, f"fetched {fields.get('id')}")

    def _retrieve(
        self, kind: str, path: str, provider_id: str, **params: object
    ) -> tuple[dict[str, object], datetime]:
        return self._get(kind, provider_id, f"{path}/{quote(provider_id, safe='')}", params)

    def _whole_list(
        self, fields: Mapping[str, object], field: str, path: str, subscription: str | None
    ) -> object:
        """A list that an object carries, completed page by page when it was cut short."""
        listed = fields.get(field)
        if not isinstance(listed, dict) or not listed.get("has_more"):
            return listed
        found: list[object] = []
        more = True
        while more:
            params: dict[str, object] = {"limit": _PAGE}
            if subscription is not None:
                params["subscription"] = subscription
            if found:
                params["starting_after"] = _id_of(found[-1], field)
            page, _ = self._get("list", path, path, params)
            data = page.get("data")
            if not isinstance(data, list):
                raise UnknownShape(field, "is not a list")
            found += data
            more = bool(page.get("has_more")) and bool(data)
        return {"data": found, "has_more": False}

    def _get(
        self, kind: str, reference: str, path: str, params: Mapping[str, object]
    ) -> tuple[dict[str, object], datetime]:
        try:
            response = self._client.raw_request("get", path, **params)
        except stripe.StripeError as failed:
            raise _refusal(failed, kind, reference) from failed
        try:
            fields = decode(response.body.encode())
            at = parsedate_to_datetime(response.headers["Date"]).astimezone(UTC)
        except (MalformedPayload, KeyError, ValueError, TypeError) as unreadable:
            raise UnknownShape("response", "has no readable body and date") from unreadable
        if not isinstance(fields, dict):
            raise UnknownShape("response", "is not an object")
        return fields, at


def _id_of(listed: object, field: str) -> str:
    identifier = listed.get("id") if isinstance(listed, dict) else None
    if not isinstance(identifier, str):
        raise UnknownShape(field, "holds something without an id")
    return identifier


def _refusal(failed: stripe.StripeError, kind: str, reference: str) -> Exception:
    status = failed.http_status
    if status == _NOT_FOUND:
        return NotFound(kind, reference)
    if status in _REFUSALS and status not in _AGAIN_LATER:
        return ProviderRefused(_NAME, failed.code or type(failed).__name__, status)
    return Unavailable(_NAME, _advised_wait(failed))


def _advised_wait(failed: stripe.StripeError) -> int:
    headers = failed.headers if isinstance(failed.headers, Mapping) else {}
    advised = str(headers.get("Retry-After", "1"))
    return min(max(int(advised), 1), _PATIENCE) if advised.isdecimal() else 1
