"""Over HTTP: an entitlement check, cached and from the database, and a webhook all the way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from time import perf_counter

from bench.bench import Bench
from bench.http_world import Server, World, load, open_world
from bench.rows import Contestant, Row

_CONNECTIONS = 16


def rows(bench: Bench) -> Iterator[Row]:
    """Checks against the framework and against nothing at all; webhooks against a raw row."""
    with open_world(bench, bench.times(1_000)) as world:
        yield from _checks(bench, world)
        yield from _webhooks(bench, world)


def _checks(bench: Bench, world: World) -> Iterator[Row]:
    asked = world.checks()
    seconds = bench.times(40) / 10

    def speed(server: Server) -> Contestant:
        def checks_per_second() -> float:
            # Each once before: while the other contestant ran, a cache has let everything go.
            load(server.port, asked, _CONNECTIONS)
            return load(server.port, asked, _CONNECTIONS, seconds=seconds).per_second

        return checks_per_second

    with (
        world.server("framework") as framework,
        world.server("constant") as constant,
        world.server("folio") as cached,
        world.server("folio", FOLIO_ENTITLEMENT_CACHE_SECONDS="0") as uncached,
    ):
        yield Row(
            name="check, cached : minimal FastAPI endpoint",
            unit="req/s",
            ours=speed(cached),
            baseline=speed(framework),
            reach=1.0,
        )
        yield Row(
            name="check, cached : bare ASGI constant",
            unit="req/s",
            ours=speed(cached),
            baseline=speed(constant),
            aim=0.75,
        )
        yield Row(
            name="check, from Postgres : minimal FastAPI endpoint",
            unit="req/s",
            ours=speed(uncached),
            baseline=speed(framework),
            reach=0.35,
            aim=0.45,
        )


def _webhooks(bench: Bench, world: World) -> Iterator[Row]:
    world.introduce_catalog()
    count = bench.times(1_500)
    with (
        world.server("insert") as insert,
        world.server("folio") as folio,
        world.server("follow"),
    ):
        yield Row(
            name="webhook, folded, projected : verify, one raw row",
            unit="webhooks/s",
            ours=_taking_in(world, folio, count, world.wait_until_projected),
            baseline=_taking_in(world, insert, count, lambda: None),
            reach=0.3,
            aim=0.5,
        )


def _taking_in(
    world: World, server: Server, count: int, afterwards: Callable[[], None]
) -> Contestant:
    def webhooks_per_second() -> float:
        buyers = world.prepare_buyers(count)
        world.wait_until_projected()
        purchases = world.purchases(buyers)
        seen = load(server.port, purchases, _CONNECTIONS)
        began = perf_counter()
        afterwards()
        return count / (seen.seconds + perf_counter() - began)

    return webhooks_per_second
