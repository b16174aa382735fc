"""Subscriptions, for micro-apps."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter

from api.asking import Cursor, Limit, MinPosition, OfCustomer
from api.auth import FromServices, Reader
from api.cursor import page_of, read_cursor
from api.customer_reference import resolve
from api.positions import reach
from api.schemas.base import Identifier, Page, problems
from api.schemas.subscription import SubscriptionDetails
from ledger.errors import NotFound
from ledger.events.subscription import SubscriptionStatus
from ledger.ids import bucket_in
from projections import subscriptions
from projections.subscriptions import Subscription
from projections.table import Database

router = APIRouter(tags=["subscriptions"])


@router.get("/subscriptions", responses=problems(401, 404))
def list_subscriptions(
    reader: Reader,
    services: FromServices,
    customer: OfCustomer = None,
    status: SubscriptionStatus | None = None,
    limit: Limit = 50,
    cursor: Cursor = None,
    min_position: MinPosition = None,
) -> Page[SubscriptionDetails]:
    """Subscriptions of the project or of one customer; with `min_position`, name the customer."""
    after = read_cursor(cursor, UUID)
    with services.database.connection() as connection:
        if customer is None:
            rows = subscriptions.page(
                connection, reader.project, limit=limit + 1, after=after, status=status
            )
        else:
            found = resolve(services, connection, reader.project, customer, min_position)
            reach(services, connection, "subscriptions", found.bucket, min_position)
            rows = _of_customer(connection, reader.project, found.id, status, after)
    return page_of(rows, limit, lambda row: row.id, SubscriptionDetails.of)


@router.get("/subscriptions/{subscription}", responses=problems(401, 404))
def get_subscription(
    subscription: Identifier,
    reader: Reader,
    services: FromServices,
    min_position: MinPosition = None,
) -> SubscriptionDetails:
    """A subscription."""
    with services.database.connection() as connection:
        reach(services, connection, "subscriptions", bucket_in(subscription), min_position)
        row = subscriptions.by_id(connection, reader.project, subscription)
    if row is None:
        raise NotFound("subscription", str(subscription))
    return SubscriptionDetails.of(row)


def _of_customer(
    connection: Database,
    project: UUID,
    customer: UUID,
    status: SubscriptionStatus | None,
    after: UUID | None,
) -> list[Subscription]:
    """A customer's few subscriptions in the order of the list, beyond `after`."""
    rows = subscriptions.of_customer(connection, project, customer)
    return sorted(
        (row for row in rows if status in (None, row.status) and (after is None or row.id > after)),
        key=lambda row: row.id,
    )
