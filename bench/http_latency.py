"""How long answers take: `python -m bench.http_latency [--quick]` prints a table.

Each HTTP row at 1, 16 and 64 connections; then the time from a webhook's sending to its
entitlement being visible, with the server half loaded; and what the server holds in memory.
"""

from __future__ import annotations

import argparse
import threading
import time
from collections.abc import Sequence

from bench.bench import open_bench
from bench.http_load import Seen
from bench.http_world import Server, World, load, open_world

_CONNECTIONS = (1, 16, 64)
_HEADING = (
    f"{'answered':<34}{'connections':>12}{'per second':>12}{'p50':>9}{'p95':>9}{'p99':>9}  ms"
)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.http_latency", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of the work")
    with (
        open_bench(quick=parser.parse_args().quick) as bench,
        open_world(bench, bench.times(2_000)) as world,
    ):
        print(_HEADING)
        _checks(world, bench.times(40) / 10)
        world.introduce_catalog()
        with world.server("folio") as server, world.server("follow") as follower:
            _webhooks(world, server, bench.times(1_000))
            _visibility(world, server, bench.times(300))
            print(f"memory: server {server.megabytes:.0f} MB, follower {follower.megabytes:.0f} MB")


def _checks(world: World, seconds: float) -> None:
    asked = world.checks()
    for name, kind, cache_seconds in (
        ("bare ASGI constant", "constant", "5"),
        ("minimal FastAPI endpoint", "framework", "5"),
        ("check, cached", "folio", "5"),
        ("check, from Postgres", "folio", "0"),
    ):
        with world.server(kind, FOLIO_ENTITLEMENT_CACHE_SECONDS=cache_seconds) as server:
            for connections in _CONNECTIONS:
                _tell(name, connections, load(server.port, asked, connections, seconds=seconds))
            print(f"{'':<34}{server.megabytes:>9.0f} MB", flush=True)


def _webhooks(world: World, server: Server, count: int) -> None:
    for connections in _CONNECTIONS:
        purchases = world.purchases(world.prepare_buyers(count))
        world.wait_until_projected()
        _tell("webhook, folded", connections, load(server.port, purchases, connections))


def _visibility(world: World, server: Server, count: int) -> None:
    """From sending a webhook to seeing its entitlement, while others come at half the full rate."""
    warm = world.purchases(world.prepare_buyers(count))
    full = load(server.port, warm, 16).per_second
    crowd = world.purchases(world.prepare_buyers(2 * count))
    watched = world.prepare_buyers(count // 5)
    world.wait_until_projected()
    others = threading.Thread(
        target=load, args=(server.port, crowd, 16), kwargs={"rate": full / 2}, daemon=True
    )
    others.start()
    waits = sorted(_wait_for(world, server, buyer) for buyer in watched)
    others.join()
    spread = "  ".join(f"p{share} {_quantile(waits, share):.0f} ms" for share in (50, 95, 99))
    print(f"webhook to visible entitlement at {full / 2:.0f}/s, half of the full rate: {spread}")


def _wait_for(world: World, server: Server, buyer: str) -> float:
    purchase = world.purchases([buyer])
    began = time.perf_counter()
    world.send(server, purchase[0])
    while not world.visible(buyer):
        time.sleep(0.001)
    return 1000 * (time.perf_counter() - began)


def _quantile(ordered: Sequence[float], share: int) -> float:
    return ordered[min(len(ordered) - 1, len(ordered) * share // 100)]


def _tell(name: str, connections: int, seen: Seen) -> None:
    print(
        f"{name:<34}{connections:>12}{seen.per_second:>12,.0f}"
        f"{seen.p50:>9.2f}{seen.p95:>9.2f}{seen.p99:>9.2f}",
        flush=True,
    )


if __name__ == "__main__":
    main()
