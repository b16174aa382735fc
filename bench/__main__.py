"""Measure and print: `python -m bench [--quick] [--json] [--repeats N] [words of row names]`.

Every module of this package that has a `rows(bench)` contributes.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from dataclasses import asdict
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

from bench.bench import Bench, open_bench
from bench.rows import Measured, Row, measure

_HEADING = f"{'measured':<52}{'ratio':>7}{'spread':>14}{'reach':>7}{'aim':>6}  ours : baseline"


def main() -> None:
    words = _arguments()
    repeats = words.repeats or (3 if words.quick else 7)
    measured: list[Measured] = []
    if not words.json:
        print(_HEADING)
    with open_bench(quick=words.quick) as bench:
        for row in _rows(bench, words.module):
            if all(word in row.name for word in words.words):
                measured.append(measure(row, repeats))
                if not words.json:
                    print(_line(measured[-1]), flush=True)
    if words.json:
        json.dump([asdict(result) for result in measured], sys.stdout, indent=2)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("words", nargs="*", help="only rows whose name holds these words")
    parser.add_argument("--module", help="only the rows of this module")
    parser.add_argument("--quick", action="store_true", help="a tenth of the work, three repeats")
    parser.add_argument("--json", action="store_true", help="print the results as JSON")
    parser.add_argument("--repeats", type=int, help="how often each row is run")
    return parser.parse_args()


def _rows(bench: Bench, only: str | None) -> Iterator[Row]:
    for found in iter_modules([str(Path(__file__).parent)]):
        if found.name == "__main__" or only not in {None, found.name}:
            continue
        module = import_module(f"bench.{found.name}")
        if hasattr(module, "rows") and callable(module.rows):
            yield from module.rows(bench)


def _line(result: Measured) -> str:
    verdict = ""
    if result.reach is not None:
        verdict = "ok" if result.ratio >= result.reach else "SHORT"
    spread = f"{result.lowest:.2f}-{result.highest:.2f}"
    reach, aim = (_optional(value) for value in (result.reach, result.aim))
    speeds = f"{_figure(result.ours)} : {_figure(result.baseline)} {result.unit}"
    return (
        f"{result.name:<52}{result.ratio:>7.2f}{spread:>14}{reach:>7}{aim:>6}  {speeds}  {verdict}"
    )


def _optional(value: float | None) -> str:
    return "" if value is None else f"{value:g}"


def _figure(speed: float) -> str:
    return f"{speed:,.0f}" if speed >= 100 else f"{speed:.3g}"


if __name__ == "__main__":
    main()
