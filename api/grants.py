"""Grants and blocks, for the people behind a micro-app: what a customer may use by hand."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter
from starlette.responses import Response

from api.asking import Cursor, Limit, MinPosition, OfCustomer
from api.auth import AppCaller, FromServices, IdempotencyKey, Writer
from api.cursor import page_of, read_cursor
from api.customer_reference import resolve
from api.positions import reach
from api.replay import mark_replayed
from api.schemas.base import Page, problems
from api.schemas.grant import GivenGrant, GrantDetails, GrantToGive, Revocation
from api.schemas.value import stored
from commands.grant import GiveGrant, RevokeGrant
from ledger.events.grant import GrantEffect
from projections import grants
from wiring.services import Services

router = APIRouter(prefix="/admin", tags=["grants"])


@router.post("/grant", status_code=201, responses=problems(401, 403, 404, 409, 413, 415))
def give_grant(
    asked: GrantToGive,
    writer: Writer,
    key: IdempotencyKey,
    services: FromServices,
    response: Response,
) -> GivenGrant:
    """Give a customer a feature by hand, with a reason and, if you like, an end."""
    command = GiveGrant(
        project=writer.project,
        key=writer.key(key),
        customer=_customer(services, writer, asked.customer),
        feature=asked.feature,
        effect=GrantEffect(asked.effect),
        value=stored(asked.value),
        starts_at=asked.starts_at,
        expires_at=asked.expires_at,
        reason=asked.reason,
    )
    return _carry_out(command, writer, services, response)


@router.post("/revoke", responses=problems(401, 403, 404, 409, 413, 415))
def revoke_grant(
    asked: Revocation,
    writer: Writer,
    key: IdempotencyKey,
    services: FromServices,
    response: Response,
) -> GivenGrant:
    """Take a grant back, or block a feature for a customer whatever gives it."""
    if asked.grant is not None:
        revoke = RevokeGrant(
            project=writer.project, key=writer.key(key), grant=asked.grant, reason=asked.reason
        )
        return _carry_out(revoke, writer, services, response)
    assert asked.customer is not None
    assert asked.feature is not None
    block = GiveGrant(
        project=writer.project,
        key=writer.key(key),
        customer=_customer(services, writer, asked.customer),
        feature=asked.feature,
        effect=GrantEffect.DENY if asked.deny else GrantEffect.BLOCK,
        expires_at=asked.expires_at,
        reason=asked.reason,
    )
    return _carry_out(block, writer, services, response)


@router.get("/grants", responses=problems(401, 403, 404))
def list_grants(
    writer: Writer,
    services: FromServices,
    customer: OfCustomer = None,
    limit: Limit = 50,
    cursor: Cursor = None,
    min_position: MinPosition = None,
) -> Page[GrantDetails]:
    """Grants and blocks of the project or of one customer, those that are over included."""
    after = read_cursor(cursor, UUID)
    with services.database.connection() as connection:
        if customer is None:
            rows = grants.page(connection, writer.project, limit=limit + 1, after=after)
        else:
            found = resolve(services, connection, writer.project, customer, min_position)
            reach(services, connection, "grants", found.bucket, min_position)
            given = grants.of_customer(connection, writer.project, found.id)
            rows = sorted(
                (row for row in given if after is None or row.id > after), key=lambda row: row.id
            )
    return page_of(rows, limit, lambda row: row.id, GrantDetails.of)


def _customer(services: Services, writer: AppCaller, reference: str) -> UUID:
    with services.database.connection() as connection:
        return resolve(services, connection, writer.project, reference).id


def _carry_out(
    command: GiveGrant | RevokeGrant, writer: AppCaller, services: Services, response: Response
) -> GivenGrant:
    receipt = services.dispatcher.dispatch(command, writer.caller())
    mark_replayed(response, receipt)
    return GivenGrant(
        id=UUID(receipt.ids["grant"]),
        customer=UUID(receipt.ids["customer"]),
        position=receipt.position,
    )
