"""The demo's operator: makes the project, its app and a key, and decides a few things by hand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Self
from uuid import UUID, uuid4

import httpx2

from simulation.demo.catalog import APP_NAME, PROJECT, PROJECT_NAME
from simulation.demo.favours import FAVOURS, Favour
from wiring.settings import Settings

_TIMEOUT: Final = 30.0


@dataclass(frozen=True)
class Shop:
    """The demo's app, and whether its project was made just now."""

    app: UUID
    new: bool


class Operator:
    """Calls to Folio's own API; a refusal raises httpx2.HTTPStatusError."""

    def __init__(self, api_url: str, operator_key: str) -> None:
        self._http = httpx2.Client(
            base_url=api_url,
            headers={"Authorization": f"Bearer {operator_key}"},
            timeout=_TIMEOUT,
            trust_env=False,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def open_shop(self) -> Shop:
        """Create the project, home of the simulated account, and its app; again is nothing."""
        account = {"account": Settings().stripe_account, "livemode": False}
        project = {"slug": PROJECT, "name": PROJECT_NAME, "stripe_account": account}
        made = self._answer("/projects", project, "demo-project")
        apps = f"/projects/{made.json()['id']}/apps"
        app = self._post(apps, {"name": APP_NAME}, "demo-app")
        return Shop(UUID(app["id"]), new="idempotent-replayed" not in made.headers)

    def issue_key(self, app: UUID) -> str:
        """A fresh key that may write, shown this once."""
        token: str = self._post(f"/apps/{app}/keys", {"scope": "write"}, str(uuid4()))["token"]
        return token

    def do_favours(self, app_key: str, since: datetime) -> None:
        """What is decided by hand, with an app's key; each under an idempotency key of its own."""
        for favour in FAVOURS:
            self._do(favour, app_key, since)

    def _do(self, favour: Favour, app_key: str, since: datetime) -> None:
        ends = since + timedelta(days=favour.days) if favour.days else None
        about: dict[str, Any] = {
            "customer": favour.user,
            "feature": favour.feature,
            "reason": favour.reason,
            **({"expires_at": ends.isoformat()} if ends else {}),
        }
        if favour.effect in ("block", "deny"):
            taken = {**about, "deny": favour.effect == "deny"}
            self._post("/admin/revoke", taken, favour.key, app_key)
            return
        given = {**about, "effect": favour.effect, "value": favour.value}
        grant = self._post("/admin/grant", given, favour.key, app_key)
        if favour.revoked_because:
            revocation = {"grant": grant["id"], "reason": favour.revoked_because}
            self._post("/admin/revoke", revocation, f"{favour.key}-revoked", app_key)

    def _post(
        self, path: str, body: Mapping[str, Any], key: str, bearer: str | None = None
    ) -> dict[str, Any]:
        document: dict[str, Any] = self._answer(path, body, key, bearer).json()
        return document

    def _answer(
        self, path: str, body: Mapping[str, Any], key: str, bearer: str | None = None
    ) -> httpx2.Response:
        headers = {"Idempotency-Key": key}
        if bearer:
            headers["Authorization"] = f"Bearer {bearer}"
        response = self._http.post(f"/api/v1{path}", json=dict(body), headers=headers)
        response.raise_for_status()
        return response
