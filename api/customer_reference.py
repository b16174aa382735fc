"""Which customer a caller means: by our id, or by the micro-app's own user id."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from api.positions import reach
from ledger import customer
from ledger.errors import NotFound
from ledger.ids import bucket_in
from projections import customers
from projections.columns import Packed, pack
from projections.customers import PAYS, Customer
from projections.table import Database
from wiring.services import Services

_UUID_LENGTH: Final = 36


def as_id(reference: str) -> UUID | None:
    """A reference in the shape of an id of ours."""
    if len(reference) != _UUID_LENGTH:
        return None
    try:
        return UUID(reference)
    except ValueError:
        return None


def likely_bucket(project: UUID, reference: str) -> int:
    """The bucket of a customer that is not found yet: where its id says, or its user id."""
    return bucket_in(as_id(reference) or customer.customer_id(project, reference))


def find(connection: Database, project: UUID, reference: str) -> Customer | None:
    """The customer with this id, or else the one that a micro-app calls so."""
    identifier = as_id(reference)
    by_id = customers.by_id(connection, project, identifier) if identifier else None
    return by_id or customers.by_external_id(connection, project, reference)


def resolve(
    services: Services,
    connection: Database,
    project: UUID,
    reference: str,
    min_position: int | None = None,
) -> Customer:
    """The customer meant, known at least as of `min_position`; NotFound, or NotReady."""
    found = find(connection, project, reference)
    if found is None and min_position is not None:
        bucket = likely_bucket(project, reference)
        reach(services, connection, "customers", bucket, min_position)
        found = find(connection, project, reference)
    if found is None:
        raise NotFound("customer", reference)
    reach(services, connection, "customers", found.bucket, min_position)
    return found


MEANT: Final = f"""
    SELECT asked.place, found.id
    FROM unnest(%b::integer[], %b::uuid[], %b::text[], %b::smallint[], %b::uuid[])
        AS asked (place, project, reference, bucket, id)
    CROSS JOIN LATERAL (
        (SELECT 0 AS rank, customer.id FROM read_model.customer AS customer
         WHERE customer.bucket = asked.bucket AND customer.id = asked.id
            AND customer.project = asked.project)
        UNION ALL
        (SELECT 1, customer.id FROM read_model.customer AS customer
         WHERE customer.project = asked.project AND customer.external_id = asked.reference
         ORDER BY {PAYS} DESC, customer.registered_at, customer.id LIMIT 1)
        ORDER BY 1 LIMIT 1
    ) AS found
"""
"""`find` for many at once: the places of those that were found, and their ids.

Parameters are `meant_parameters(asked)`.
"""


def meant_parameters(asked: Sequence[tuple[UUID, str]]) -> tuple[Packed, ...]:
    """The parameters of MEANT."""
    ids = [as_id(reference) for _, reference in asked]
    return (
        pack("integer", range(len(asked))),
        pack("uuid", [project for project, _ in asked]),
        pack("text", [reference for _, reference in asked]),
        pack("smallint", [bucket_in(each) if each else None for each in ids]),
        pack("uuid", ids),
    )
