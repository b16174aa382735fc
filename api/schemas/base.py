"""What every document of the API is made of, and how its problems are described."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated, Any, Final, Generic, Self, TypeVar
from uuid import UUID

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
)

from ledger.money import Money

LARGEST: Final = 10**15
"""The largest whole number in a request, either side of zero."""

_IDENTIFIER: Final = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", re.ASCII)


def _printable(text: str) -> str:
    if not text.isprintable():
        raise ValueError("has a character that cannot be printed")
    return text


def _instant(value: object) -> object:
    if not isinstance(value, str) or len(value) > 40 or value[10:11] not in ("T", "t", " "):
        raise ValueError("is an RFC 3339 time with its zone, such as 2026-01-31T12:00:00Z")
    try:
        instant = datetime.fromisoformat(value)
        if instant.tzinfo is None:
            raise ValueError("has no zone")
        return instant.astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError(
            "is an RFC 3339 time with its zone, such as 2026-01-31T12:00:00Z"
        ) from None


def _identifier(value: object) -> object:
    if not isinstance(value, str) or not _IDENTIFIER.fullmatch(value):
        raise ValueError("is no id of ours")
    return value


Name = Annotated[
    str, StringConstraints(min_length=1, max_length=255, strict=True), AfterValidator(_printable)
]
"""A name somebody else chose: 1 to 255 printable characters."""
Identifier = Annotated[UUID, BeforeValidator(_identifier)]
"""An id of ours, in its one spelling."""
Instant = Annotated[datetime, BeforeValidator(_instant)]
Position = Annotated[int, Field(ge=0, le=2**62)]


class Asked(BaseModel):
    """What a caller sends: nothing unknown, nothing converted."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Told(BaseModel):
    """What a caller gets."""

    model_config = ConfigDict(frozen=True)


Item = TypeVar("Item")


class Page(Told, Generic[Item]):
    """Some of a list; `next_cursor` leads to the rest."""

    data: list[Item]
    has_more: bool
    next_cursor: str | None = Field(description="Give it as `cursor` to go on.")


class Amount(Told):
    """Money: whole minor units of a currency."""

    amount: int
    currency: str

    @classmethod
    def of(cls, money: Money) -> Self:
        return cls(amount=money.amount, currency=money.currency)


class FieldProblem(Told):
    """What is wrong with one part of a request."""

    field: str
    detail: str


class ProblemDocument(Told):
    """An error, as RFC 9457 has it."""

    type: str = Field(examples=["urn:folio:problem:not_found"])
    title: str = Field(examples=["Not found"])
    status: int = Field(examples=[404])
    detail: str = Field(examples=["no customer user_42"])
    instance: str = Field(examples=["/api/v1/customers/user_42"])
    code: str = Field(description="Stable; decide by it.", examples=["not_found"])
    request_id: str
    errors: list[FieldProblem]


Documented = dict[int | str, dict[str, Any]]
_WHY: Final = {
    400: "The request cannot be read, or a needed header is missing.",
    401: "No live key was shown.",
    403: "The key has no right to this.",
    404: "No such thing in this project.",
    409: "A rule says no, somebody was first, or the idempotency key was used before.",
    413: "The body is too large.",
    415: "The body is not JSON.",
    422: "A value can never be right.",
    503: "A server does not answer, or the asked position is not reached yet: try again.",
}


def problems(*statuses: int) -> Documented:
    """The problems an operation may answer with, for its description."""
    return {
        status: {
            "description": _WHY[status],
            "content": {
                "application/problem+json": {
                    "schema": {"$ref": "#/components/schemas/ProblemDocument"}
                }
            },
        }
        for status in sorted({400, 422, 503, *statuses})
    }
