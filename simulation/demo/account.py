"""The demo's Stripe account, as its owner drives it: over HTTP, in form parameters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, Self

import httpx2

SECRET_KEY: Final = "sk_test_demo"
_TIMEOUT: Final = 120.0

Params = Mapping[str, Any]


class StripeAccount:
    """Calls to one simulated Stripe; a refusal raises httpx2.HTTPStatusError."""

    def __init__(self, base_url: str) -> None:
        self._http = httpx2.Client(
            base_url=base_url,
            headers={"Authorization": f"Bearer {SECRET_KEY}"},
            timeout=_TIMEOUT,
            trust_env=False,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def post(self, path: str, params: Params | None = None) -> dict[str, Any]:
        return self._answer(self._http.post(path, data=dict(flattened(params or {}))))

    def get(self, path: str, params: Params | None = None) -> dict[str, Any]:
        return self._answer(self._http.get(path, params=dict(flattened(params or {}))))

    def delete(self, path: str) -> dict[str, Any]:
        return self._answer(self._http.delete(path))

    def status(self) -> dict[str, Any]:
        """Where the simulator's time stands, and how its deliveries go."""
        return self._answer(self._http.get("/_simulator/status"))

    def advance(self, to: int) -> dict[str, Any]:
        """Move the simulator's time (unix seconds); what is due on the way happens."""
        return self._answer(self._http.post("/_simulator/advance", json={"to": to}))

    def redeliver(self) -> dict[str, Any]:
        """Send again every webhook that nobody has accepted yet."""
        return self._answer(self._http.post("/_simulator/redeliver"))

    def _answer(self, response: httpx2.Response) -> dict[str, Any]:
        response.raise_for_status()
        answer: dict[str, Any] = response.json()
        return answer


def flattened(params: Params, inside: str = "") -> Iterator[tuple[str, str]]:
    """Nested parameters in Stripe's form notation: `items[0][price]`, `metadata[key]`."""
    for name, value in params.items():
        path = f"{inside}[{name}]" if inside else name
        if isinstance(value, Mapping):
            yield from flattened(value, path)
        elif isinstance(value, Sequence) and not isinstance(value, str):
            yield from flattened({str(place): each for place, each in enumerate(value)}, path)
        elif isinstance(value, bool):
            yield path, str(value).lower()
        else:
            yield path, str(value)
