"""The demo's Stripe as a process of its own: `python -m simulation.demo.provider`.

Its owner set unpaid invoices to leave a subscription unpaid, rather than to cancel it.
"""

from __future__ import annotations

import argparse
from datetime import datetime
from pathlib import Path
from typing import Final

from simulation.stripe.account import Habits
from simulation.stripe.server import StripeSimulator

SEED: Final = 2026


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m simulation.demo.provider")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--began", type=datetime.fromisoformat, required=True)
    parser.add_argument("--state", type=Path, required=True)
    given = parser.parse_args()
    simulator = StripeSimulator(
        SEED, given.began, habits=Habits(after_last_retry="unpaid"), keep_in=given.state
    )
    simulator.serve(given.port)


if __name__ == "__main__":
    main()
