"""The first start: half a year of the demo's story, told by signed webhooks, as it is watched."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Final

import psycopg
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
)

from cli.demo.trouble import Trouble
from projections import checkpoints
from simulation.demo import story
from simulation.demo.account import StripeAccount

_DAY: Final = timedelta(days=1)
_LOOK_SECONDS: Final = 0.1
_CATCH_UP_SECONDS: Final = 60.0


def load(console: Console, stripe: StripeAccount, began: datetime, database_url: str) -> None:
    """Let the story happen at the simulated Stripe, and wait until Folio has taken it in."""
    with _bars(console) as bars:
        days = bars.add_task("Half a year passes, in days", total=story.LENGTH // _DAY)
        story.play(stripe, began, lambda passed: bars.update(days, completed=passed // _DAY))
        webhooks = bars.add_task("Signed webhooks are taken in", total=stripe.status()["events"])
        while (status := stripe.status())["pending"]:
            bars.update(webhooks, completed=status["delivered"])
            time.sleep(_LOOK_SECONDS)
        bars.update(webhooks, completed=status["delivered"])
        if status["failed"]:
            raise Trouble(f"Folio did not accept {status['failed']} webhooks of the demo.")
    wait_for_read_models(database_url)


def wait_for_read_models(database_url: str) -> None:
    """Return once every read model has taken in the whole log."""
    deadline = time.monotonic() + _CATCH_UP_SECONDS
    with psycopg.connect(database_url, autocommit=True) as connection:
        while any(checkpoints.lag(connection).values()):
            if time.monotonic() > deadline:
                raise Trouble("The read models do not catch up with the log; see worker.log.")
            time.sleep(_LOOK_SECONDS)


@contextmanager
def _bars(console: Console) -> Iterator[Progress]:
    columns = (
        TextColumn("  {task.description:<30}"),
        BarColumn(bar_width=40),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console) as bars:
        yield bars
