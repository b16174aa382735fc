"""Customers, for the micro-apps that bring them."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter
from starlette.responses import Response

from api.asking import MinPosition
from api.auth import FromServices, IdempotencyKey, Reader, Writer
from api.customer_reference import resolve
from api.replay import mark_replayed
from api.schemas.base import Name, problems
from api.schemas.customer import CustomerDetails, CustomerToRegister, RegisteredCustomer
from commands.customer import RegisterCustomer
from projections import customers

router = APIRouter(tags=["customers"])


@router.post("/customers", status_code=201, responses=problems(401, 403, 409, 413, 415))
def register_customer(
    asked: CustomerToRegister,
    writer: Writer,
    key: IdempotencyKey,
    services: FromServices,
    response: Response,
) -> RegisteredCustomer:
    """Bring a customer into the project, by your own user id when you have one."""
    command = RegisterCustomer(
        project=writer.project, key=writer.key(key), external_id=asked.external_id
    )
    receipt = services.dispatcher.dispatch(command, writer.caller())
    mark_replayed(response, receipt)
    return RegisteredCustomer(
        id=UUID(receipt.ids["customer"]),
        external_id=asked.external_id,
        position=receipt.position,
    )


@router.get("/customers/{customer}", responses=problems(401, 404))
def get_customer(
    customer: Name, reader: Reader, services: FromServices, min_position: MinPosition = None
) -> CustomerDetails:
    """A customer, by our id or by your own user id."""
    with services.database.connection() as connection:
        found = resolve(services, connection, reader.project, customer, min_position)
        links = customers.links(connection, reader.project, found.id)
    return CustomerDetails.of(found, links)
