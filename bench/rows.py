"""A row of the table: two contestants, how they are timed against each other, what is hoped for."""

from __future__ import annotations

import gc
import statistics
from collections.abc import Callable
from dataclasses import dataclass

Contestant = Callable[[], float]
"""Runs once and answers with a speed: the higher the better."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One comparison; `reach` is the ratio that must hold, `aim` the one hoped for.

    `unit` is that of both speeds. A row without `reach` is reported for information.
    """

    name: str
    unit: str
    ours: Contestant
    baseline: Contestant
    reach: float | None = None
    aim: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """A row's ratio: the median over the repeats and its spread; and both median speeds."""

    name: str
    unit: str
    ours: float
    baseline: float
    ratio: float
    lowest: float
    highest: float
    reach: float | None
    aim: float | None


def measure(row: Row, repeats: int) -> Measured:
    """Time both contestants in turn, each time the other one first, after one run to warm up."""
    row.baseline()
    row.ours()
    ours: list[float] = []
    baseline: list[float] = []
    gc.collect()
    gc.freeze()
    for repeat in range(repeats):
        turns = [(row.baseline, baseline), (row.ours, ours)]
        for contestant, speeds in turns if repeat % 2 else reversed(turns):
            speeds.append(contestant())
    gc.unfreeze()
    ratios = [one / other for one, other in zip(ours, baseline, strict=True)]
    return Measured(
        name=row.name,
        unit=row.unit,
        ours=statistics.median(ours),
        baseline=statistics.median(baseline),
        ratio=statistics.median(ratios),
        lowest=min(ratios),
        highest=max(ratios),
        reach=row.reach,
        aim=row.aim,
    )
