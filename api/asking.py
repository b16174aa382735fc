"""The parameters that many reads take."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import Query

from api.schemas.base import Instant, Name, Position

LARGEST_PAGE: Final = 100

Limit = Annotated[int, Query(ge=1, le=LARGEST_PAGE, description="Items per page.")]
Cursor = Annotated[
    str | None, Query(max_length=512, description="`next_cursor` of the page before.")
]
ByCustomer = Annotated[Name, Query(description="Our id of the customer, or your own user id.")]
OfCustomer = Annotated[
    Name | None, Query(description="Only of this customer: our id, or your own user id.")
]
MinPosition = Annotated[
    Position | None,
    Query(
        description="Wait a little until what happened up to this position is visible: the "
        "`position` that a write to the same customer was answered with."
    ),
]
AsOf = Annotated[Instant | None, Query(description="The moment that is asked about; now.")]
KnownAt = Annotated[
    Instant | None,
    Query(description="Answer as it was known at this moment; not in the future."),
]
