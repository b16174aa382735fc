"""What every provider gives us: facts, a stated reason for none, or a typed refusal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Protocol

from ledger.errors import InvalidInput, Refused
from ledger.facts import Fact


@dataclass(frozen=True, slots=True)
class Ignored:
    """A message that rightly gives no fact, and why."""

    reason: str


UNMAPPED: Final = Ignored("unmapped")
Reading = tuple[Fact, ...] | Ignored


class UnknownShape(InvalidInput):
    """A provider's object that does not read as it must: kept and explained, never guessed at.

    `field` is the path inside the object.
    """

    code = "unknown_shape"


class NeedsFetch(UnknownShape):
    """A message carries only a part of its object; the rest must be asked for."""

    code = "needs_fetch"

    def __init__(self, kind: str, provider_id: str, field: str) -> None:
        super().__init__(field, f"is cut short, {kind} {provider_id} must be fetched")
        self.kind = kind
        self.provider_id = provider_id


class ProviderRefused(Refused):
    """The provider understood our call and said no; `status` is its answer's number, if any."""

    code = "provider_refused"

    def __init__(self, provider: str, reason: str, status: int | None) -> None:
        super().__init__(f"{provider}: {reason}")
        self.provider = provider
        self.status = status


class Gateway(Protocol):
    """A provider's account asked for the present state of one object.

    Each answer is an observation like any message. NotFound when there is no such object,
    Unavailable when the provider does not answer, ProviderRefused when it says no.
    """

    def customer(self, provider_id: str) -> Reading: ...

    def product(self, provider_id: str) -> Reading: ...

    def price(self, provider_id: str) -> Reading: ...

    def subscription(self, provider_id: str) -> Reading: ...

    def invoice(self, provider_id: str) -> Reading: ...
