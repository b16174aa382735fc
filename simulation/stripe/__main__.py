"""`python -m simulation.stripe`: a Stripe on a port of loopback."""

from __future__ import annotations

import argparse
import signal
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType

from simulation.stripe.server import START, StripeSimulator


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m simulation.stripe", description=__doc__)
    parser.add_argument("--port", type=int, default=4242)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--start", type=_instant, default=START, help="its first present, ISO 8601")
    parser.add_argument("--state", type=Path, help="a file that keeps the account between runs")
    parser.add_argument("--delivery-threads", type=int, default=1)
    given = parser.parse_args()
    simulator = StripeSimulator(
        given.seed, given.start, delivery_threads=given.delivery_threads, keep_in=given.state
    )
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _leave)
    simulator.serve(given.port)


def _leave(number: int, _: FrameType | None) -> None:
    """End through the ordinary way out, so that the account is written down."""
    raise SystemExit(0)


def _instant(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


if __name__ == "__main__":
    main()
