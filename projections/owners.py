"""Whose a provider's object is: a question over several read models, for news without an owner."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from ledger.facts import ProviderAccount
from ledger.ids import derived_id
from projections.table import Database


@dataclass(frozen=True, slots=True)
class Owned:
    """A stream of ours that stands for a provider's object, and the customer it is of.

    A nomination only: the stream itself decides.
    """

    bucket: int
    kind: str
    stream: UUID
    customer: UUID
    project: UUID


_CUSTOMERS: Final = """
    SELECT bucket, 'customer', customer, customer, project FROM read_model.customer_link
    WHERE provider_id = %(id)s AND provider = %(provider)s AND account = %(account)s
        AND livemode = %(livemode)s
"""
_OTHERS: Final = """
    SELECT bucket, 'subscription', id, customer, project FROM read_model.subscription
    WHERE provider_id = %(id)s
    UNION ALL
    SELECT bucket, 'invoice', id, customer, project FROM read_model.invoice
    WHERE provider_id = %(id)s
    UNION ALL
    SELECT bucket, 'payment', id, customer, project FROM read_model.payment
    WHERE provider_id = %(id)s
"""


def owner_of(connection: Database, account: ProviderAccount, provider_id: str) -> Owned | None:
    """Where the provider's customer, subscription, invoice or payment of this id is kept."""
    parameters = {
        "id": provider_id,
        "provider": account.provider,
        "account": account.account,
        "livemode": account.livemode,
    }
    with connection.cursor(binary=True) as cursor:
        row = cursor.execute(_CUSTOMERS, parameters).fetchone()
        if row is not None:
            return Owned(*row)
        for bucket, kind, stream, customer, project in cursor.execute(_OTHERS, parameters):
            # The id says which account it was made for: live and test never mix.
            if stream == derived_id(bucket, kind, *account.parts(provider_id)):
                return Owned(bucket, kind, stream, customer, project)
    return None
