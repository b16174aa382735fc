"""`folio rebuild`: fill read models again from the first event, compare, swap."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from projections.base import Projection
    from projections.rebuild import Progress, Rebuilt

_DIFFERS = 1
_UNKNOWN = 2


def rebuild(
    projection: Annotated[str | None, typer.Argument(help="Name of one read model.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Rebuild every read model.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Tell the outcome as JSON.")] = False,
    drop_kept: Annotated[
        bool, typer.Option(help="Then drop the tables that this and earlier rebuilds replaced.")
    ] = False,
) -> None:
    """Fill new tables from the whole log, compare them with the live ones, and swap them in.

    The live tables stay readable meanwhile. Exits 1 when new and live tables differ, and then
    leaves the live ones in place; 2 when there is no such read model; 3 when the database does not
    answer.
    """
    from cli.process import services
    from projections.rebuild import rebuild as rebuild_one

    chosen = _chosen(projection, every)
    outcomes = []
    with services() as running:
        for each in chosen:
            with _progress(each.name, shown=not as_json) as progress:
                rebuilt = rebuild_one(
                    running.log, running.database_url, each, running.clock, progress=progress
                )
            outcomes.append(_outcome(rebuilt))
            if not as_json:
                typer.echo(_sentence(rebuilt))
            if drop_kept and rebuilt.swapped:
                _drop_kept(running.database_url, each)
    if as_json:
        typer.echo(json.dumps(outcomes, indent=2))
    if not all(outcome["swapped"] for outcome in outcomes):
        raise typer.Exit(_DIFFERS)


def _chosen(name: str | None, every: bool) -> Sequence[Projection]:
    from projections.registry import PROJECTIONS

    if every == (name is not None):
        typer.echo("Name one read model, or say --all.", err=True)
        raise typer.Exit(_UNKNOWN)
    found = [each for each in PROJECTIONS if every or each.name == name]
    if not found:
        known = ", ".join(sorted(each.name for each in PROJECTIONS))
        typer.echo(f"There is no read model {name}; there are {known}.", err=True)
        raise typer.Exit(_UNKNOWN)
    return found


@contextmanager
def _progress(name: str, *, shown: bool) -> Iterator[Progress | None]:
    if not shown:
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bars

    columns = (TextColumn(f"{name:<14}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Bars(*columns, console=Console(file=sys.stderr)) as bars:
        task = bars.add_task(name, total=None)

        def heard(done: int, expected: int) -> None:
            bars.update(task, completed=done, total=expected)

        yield heard


def _outcome(rebuilt: Rebuilt) -> dict[str, object]:
    parity = rebuilt.parity
    return {
        "projection": rebuilt.build.projection,
        "build": rebuilt.build.label,
        "replaced": rebuilt.replaced.label,
        "events": rebuilt.events,
        "rows": parity.rows if parity else None,
        "differing_buckets": list(parity.differing) if parity else [],
        "swapped": rebuilt.swapped,
    }


def _sentence(rebuilt: Rebuilt) -> str:
    name, parity = rebuilt.build.projection, rebuilt.parity
    if not rebuilt.swapped and parity is not None:
        return f"{name}: differs in {len(parity.differing)} buckets; the old tables stay live."
    compared = f"{parity.rows} rows equal to the old ones" if parity else "of a new version"
    return f"{name}: {rebuilt.events} events, {compared}; {rebuilt.build.label} is live."


def _drop_kept(database_url: str, projection: Projection) -> None:
    import psycopg

    from projections import builds

    with psycopg.connect(database_url, autocommit=True) as connection:
        for kept in builds.kept(connection, projection):
            builds.drop(connection, projection, kept)
