"""Numbers the product counts about itself, in one registry, with labels that cannot explode.

A label takes only values declared with the metric; anything else is counted as `other`. So no
customer, path or error text ever becomes a time series.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, TypeVar

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)

REGISTRY: Final = CollectorRegistry()
OTHER: Final = "other"
M = TypeVar("M", Counter, Gauge, Histogram)
_SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)

ProcessCollector(registry=REGISTRY)
PlatformCollector(registry=REGISTRY)


class Tally:
    """A count that only grows, by declared label values."""

    def __init__(self, name: str, help: str, **labels: Iterable[str]) -> None:  # noqa: A002
        self._allowed = {label: frozenset(values) for label, values in labels.items()}
        self._counter = Counter(name, help, tuple(labels), registry=REGISTRY)

    def add(self, amount: int = 1, **labels: str) -> None:
        _child(self._counter, self._allowed, labels).inc(amount)


class Level:
    """A value that goes up and down, by declared label values."""

    def __init__(self, name: str, help: str, **labels: Iterable[str]) -> None:  # noqa: A002
        self._allowed = {label: frozenset(values) for label, values in labels.items()}
        self._gauge = Gauge(name, help, tuple(labels), registry=REGISTRY)

    def set(self, value: float, **labels: str) -> None:
        _child(self._gauge, self._allowed, labels).set(value)


class Duration:
    """How long something takes, in seconds, by declared label values."""

    def __init__(self, name: str, help: str, **labels: Iterable[str]) -> None:  # noqa: A002
        self._allowed = {label: frozenset(values) for label, values in labels.items()}
        self._histogram = Histogram(name, help, tuple(labels), registry=REGISTRY, buckets=_SECONDS)

    def observe(self, seconds: float, **labels: str) -> None:
        _child(self._histogram, self._allowed, labels).observe(seconds)


def exposition() -> bytes:
    """The whole registry in the Prometheus text format."""
    return generate_latest(REGISTRY)


def _child(metric: M, allowed: dict[str, frozenset[str]], labels: dict[str, str]) -> M:
    if not allowed:
        return metric
    return metric.labels(
        **{name: labels[name] if labels[name] in allowed[name] else OTHER for name in allowed}
    )
