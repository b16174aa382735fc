"""Every projection there is."""

from __future__ import annotations

from typing import Final

from projections.api_keys import API_KEYS
from projections.base import Projection
from projections.beliefs import ENTITLEMENTS
from projections.catalog import CATALOG
from projections.customers import CUSTOMERS
from projections.deadlines import DEADLINES
from projections.grants import GRANTS
from projections.invoices import INVOICES
from projections.payments import PAYMENTS
from projections.projects import PROJECTS
from projections.subscriptions import SUBSCRIPTIONS

PROJECTIONS: Final[tuple[Projection, ...]] = (
    ENTITLEMENTS,
    API_KEYS,
    CATALOG,
    CUSTOMERS,
    DEADLINES,
    GRANTS,
    INVOICES,
    PAYMENTS,
    PROJECTS,
    SUBSCRIPTIONS,
)
