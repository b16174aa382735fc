"""Taking up the webhooks that nobody has finished: PostgreSQL is their queue.

A request that kept a webhook and died before it folded it, a fact whose parent has come meanwhile,
a failure whose pause is over: all of them are rows that are due, and are found here.
"""

from __future__ import annotations

from typing import Final

from observability.logs import logger
from observability.metrics import Tally
from wiring.intake import Intake
from workers.loop import Loop

_EVERY_SECONDS: Final = 0.5
_BATCH: Final = 100

_log = logger(__name__)
_swept = Tally("folio_webhooks_swept", "Webhooks folded by the sweeper, not by their request.")


def make_sweeper(intake: Intake) -> Loop:
    """The loop that folds due webhooks, within two seconds of their becoming due.

    Any number of processes may run one: rows that one has taken up are leased from the others.
    """

    def sweep() -> bool:
        taken = intake.sweep(_BATCH)
        if taken:
            _swept.add(taken)
            _log.info("swept webhooks", taken=taken)
        return taken == _BATCH

    return Loop("sweeper", _EVERY_SECONDS, sweep)
