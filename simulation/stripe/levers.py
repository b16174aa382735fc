"""The levers of the simulator, which Stripe does not have: move time, wait, change a card."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import msgspec

from simulation.stripe.operation import Request, Response


class Machine(Protocol):
    """What the levers move."""

    def status(self) -> dict[str, Any]: ...

    def advance_to(self, instant: int) -> None: ...

    def drain(self, timeout: float = 60.0) -> bool: ...

    def redeliver(self) -> int: ...

    def set_card(self, payment_method: str, outcome: str) -> None: ...

    def authenticate(self, payment_intent: str) -> None: ...


@dataclass(frozen=True)
class Levers:
    """JSON in, JSON out, every answer the simulator's status after the pull."""

    machine: Machine

    def pull(self, request: Request) -> Response:
        pulls: dict[tuple[str, str], Callable[[dict[str, Any]], Any]] = {
            ("GET", "status"): lambda _: None,
            ("POST", "advance"): self._advance,
            ("POST", "drain"): lambda given: self.machine.drain(given.get("timeout", 60.0)),
            ("POST", "redeliver"): lambda _: self.machine.redeliver(),
            ("POST", "card"): lambda given: self.machine.set_card(
                given["payment_method"], given["outcome"]
            ),
            ("POST", "authenticate"): lambda given: self.machine.authenticate(
                given["payment_intent"]
            ),
        }
        pull = pulls.get((request.method, request.path.removeprefix("/_simulator/")))
        if pull is None:
            return _json(404, {"error": f"no lever at {request.method} {request.path}"})
        try:
            pull(msgspec.json.decode(request.body) if request.body else {})
        except (KeyError, ValueError, msgspec.DecodeError) as error:
            return _json(400, {"error": f"{type(error).__name__}: {error}"})
        return _json(200, self.machine.status())

    def _advance(self, given: dict[str, Any]) -> None:
        """`{"to": unix seconds}` or `{"by": seconds}`, and `"drain": true` to wait as well."""
        now = self.machine.status()["now"]
        self.machine.advance_to(int(given["to"]) if "to" in given else now + int(given["by"]))
        if given.get("drain"):
            self.machine.drain()


def _json(status: int, value: dict[str, Any]) -> Response:
    return Response(status, msgspec.json.encode(value).decode())
