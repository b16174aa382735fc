"""Invoices, for micro-apps."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from fastapi import APIRouter

from api.asking import Cursor, Limit, MinPosition, OfCustomer
from api.auth import FromServices, Reader
from api.cursor import page_of, read_cursor
from api.customer_reference import resolve
from api.positions import reach
from api.schemas.base import Identifier, Page, problems
from api.schemas.invoice import InvoiceDetails
from ledger.errors import NotFound
from ledger.ids import bucket_in
from projections import invoices
from projections.invoices import Invoice, InvoiceStatus
from projections.table import Database

router = APIRouter(tags=["invoices"])

_AT_ONCE: Final = 200


@router.get("/invoices", responses=problems(401, 404))
def list_invoices(
    reader: Reader,
    services: FromServices,
    customer: OfCustomer = None,
    status: InvoiceStatus | None = None,
    limit: Limit = 50,
    cursor: Cursor = None,
    min_position: MinPosition = None,
) -> Page[InvoiceDetails]:
    """Invoices of the project or of one customer; with `min_position`, name the customer."""
    after = read_cursor(cursor, UUID)
    with services.database.connection() as connection:
        if customer is None:
            rows = invoices.page(
                connection, reader.project, limit=limit + 1, after=after, status=status
            )
        else:
            found = resolve(services, connection, reader.project, customer, min_position)
            reach(services, connection, "invoices", found.bucket, min_position)
            rows = _of_customer(connection, reader.project, found.id, status, after, limit + 1)
    return page_of(rows, limit, lambda row: row.id, InvoiceDetails.of)


@router.get("/invoices/{invoice}", responses=problems(401, 404))
def get_invoice(
    invoice: Identifier,
    reader: Reader,
    services: FromServices,
    min_position: MinPosition = None,
) -> InvoiceDetails:
    """An issued invoice with its lines; drafts are not shown."""
    with services.database.connection() as connection:
        reach(services, connection, "invoices", bucket_in(invoice), min_position)
        row = invoices.by_id(connection, reader.project, invoice)
    if row is None:
        raise NotFound("invoice", str(invoice))
    return InvoiceDetails.of(row)


def _of_customer(
    connection: Database,
    project: UUID,
    customer: UUID,
    status: InvoiceStatus | None,
    after: UUID | None,
    wanted: int,
) -> list[Invoice]:
    """A customer's invoices of one status, read on until there are as many as wanted."""
    rows: list[Invoice] = []
    while len(rows) < wanted:
        more = invoices.of_customer(connection, project, customer, limit=_AT_ONCE, after=after)
        rows += [row for row in more if status in (None, row.status)]
        if len(more) < _AT_ONCE:
            break
        after = more[-1].id
    return rows[:wanted]
