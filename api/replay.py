"""How a caller sees that its call had been carried out before."""

from __future__ import annotations

from typing import Final

from starlette.responses import Response

from ledger.store.event_log import Receipt

HEADER: Final = "Idempotent-Replayed"


def mark_replayed(response: Response, receipt: Receipt) -> None:
    """Say so when a receipt was given before, under the same idempotency key."""
    if receipt.replayed:
        response.headers[HEADER] = "true"
