"""Customers, found by our id, by the micro-app's user id, or by a provider's id."""

from __future__ import annotations

from datetime import datetime
from typing import Final, LiteralString
from uuid import UUID

from msgspec.structs import replace

from ledger.events.base import RecordedEvent
from ledger.events.customer import (
    CustomerClosed,
    CustomerIdentified,
    CustomerLinked,
    CustomerRegistered,
)
from ledger.facts import ProviderAccount
from ledger.ids import bucket_in
from projections.base import Batch, Projection, Tables, fold
from projections.table import Database, Key, ReadRow, Table


class Customer(ReadRow, frozen=True):
    """Who pays; `external_id` is the micro-app's own user id."""

    bucket: int
    id: UUID
    project: UUID
    external_id: str | None
    registered_at: datetime
    position: int


class CustomerLink(ReadRow, frozen=True):
    """A name a customer has at a provider; `closed_at` says when the provider deleted it."""

    bucket: int
    customer: UUID
    provider_id: str
    provider: str
    account: str
    livemode: bool
    project: UUID
    linked_at: datetime
    closed_at: datetime | None
    position: int


CUSTOMER: Final = Table(
    "customer",
    Customer,
    {
        "bucket": "smallint NOT NULL",
        "id": "uuid NOT NULL",
        "project": "uuid NOT NULL",
        "external_id": "text",
        "registered_at": "timestamptz NOT NULL",
        "position": "bigint NOT NULL",
    },
    key=("bucket", "id"),
    indexes=("(project, id)", "(project, external_id) WHERE external_id IS NOT NULL"),
)

CUSTOMER_LINK: Final = Table(
    "customer_link",
    CustomerLink,
    {
        "bucket": "smallint NOT NULL",
        "customer": "uuid NOT NULL",
        "provider_id": "text NOT NULL",
        "provider": "text NOT NULL",
        "account": "text NOT NULL",
        "livemode": "boolean NOT NULL",
        "project": "uuid NOT NULL",
        "linked_at": "timestamptz NOT NULL",
        "closed_at": "timestamptz",
        "position": "bigint NOT NULL",
    },
    key=("bucket", "customer", "provider_id"),
    indexes=("(provider_id)",),
)


def _step(row: Customer | None, recorded: RecordedEvent) -> Customer | None:
    match recorded.event:
        case CustomerRegistered(external_id=external_id):
            return Customer(
                recorded.bucket,
                recorded.stream,
                recorded.project,
                external_id,
                recorded.effective_at,
                recorded.position,
            )
        case CustomerIdentified(external_id=external_id) if row is not None:
            return replace(row, external_id=external_id, position=recorded.position)
    return row


def _link_step(row: CustomerLink | None, recorded: RecordedEvent) -> CustomerLink | None:
    match recorded.event:
        case CustomerLinked() as linked:
            return CustomerLink(
                recorded.bucket,
                recorded.stream,
                linked.provider_id,
                linked.provider,
                linked.account,
                linked.livemode,
                recorded.project,
                recorded.effective_at,
                None,
                recorded.position,
            )
        case CustomerClosed() if row is not None:
            return replace(row, closed_at=recorded.effective_at, position=recorded.position)
    return row


def _link_key(recorded: RecordedEvent) -> Key:
    assert isinstance(recorded.event, CustomerLinked | CustomerClosed)
    return (recorded.bucket, recorded.stream, recorded.event.provider_id)


def _apply(tables: Tables, batch: Batch) -> None:
    linking = [r for r in batch if isinstance(r.event, CustomerLinked | CustomerClosed)]
    naming = [r for r in batch if isinstance(r.event, CustomerRegistered | CustomerIdentified)]
    fold(tables, CUSTOMER, naming, _step)
    fold(tables, CUSTOMER_LINK, linking, _link_step, _link_key)


CUSTOMERS: Final = Projection(
    name="customers",
    version=1,
    tables=(CUSTOMER, CUSTOMER_LINK),
    listens=frozenset({CustomerRegistered, CustomerIdentified, CustomerLinked, CustomerClosed}),
    apply=_apply,
)


def by_id(connection: Database, project: UUID, customer: UUID) -> Customer | None:
    """A customer of this project."""
    found = CUSTOMER.select(
        connection,
        "WHERE bucket = %s AND id = %s AND project = %s",
        (bucket_in(customer), customer, project),
    )
    return found[0] if found else None


PAYS: Final[LiteralString] = """EXISTS (
    SELECT FROM read_model.customer_link AS link
    WHERE link.bucket = customer.bucket AND link.customer = customer.id)"""
"""Whether a row of `customer` is known at a provider, as SQL."""


def by_external_id(connection: Database, project: UUID, external_id: str) -> Customer | None:
    """The customer a micro-app calls so; of several, who pays at a provider, then who was first."""
    found = CUSTOMER.select(
        connection,
        f"WHERE project = %s AND external_id = %s ORDER BY {PAYS} DESC, registered_at, id LIMIT 1",
        (project, external_id),
    )
    return found[0] if found else None


def by_provider_id(
    connection: Database, account: ProviderAccount, provider_id: str
) -> Customer | None:
    """The customer a provider calls so, of whatever project."""
    found = CUSTOMER.select(
        connection,
        "JOIN read_model.customer_link AS link USING (bucket) "
        "WHERE link.customer = customer.id AND link.provider_id = %s AND link.provider = %s "
        "AND link.account = %s AND link.livemode = %s LIMIT 1",
        (provider_id, account.provider, account.account, account.livemode),
    )
    return found[0] if found else None


def page(
    connection: Database, project: UUID, *, limit: int, after: UUID | None = None
) -> list[Customer]:
    """Customers of a project by id, beyond `after`."""
    return CUSTOMER.select(
        connection,
        "WHERE project = %s AND id > %s ORDER BY id LIMIT %s",
        (project, after or UUID(int=0), limit),
    )


def links(connection: Database, project: UUID, customer: UUID) -> list[CustomerLink]:
    """The names a customer has at providers."""
    return CUSTOMER_LINK.select(
        connection,
        "WHERE bucket = %s AND customer = %s AND project = %s ORDER BY provider_id",
        (bucket_in(customer), customer, project),
    )
