"""Log lines: one JSON object each, whoever writes them, with what is bound to the present work."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

import structlog
from structlog.typing import FilteringBoundLogger, Processor

Format = Literal["json", "console"]

_SHARED: tuple[Processor, ...] = (
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
    structlog.processors.StackInfoRenderer(),
)


def configure_logs(level: str = "INFO", format: Format = "json") -> None:  # noqa: A002
    """Send every log line of the process, the libraries' included, to standard error."""
    rendering: tuple[Processor, ...] = (
        (structlog.dev.ConsoleRenderer(),)
        if format == "console"
        else (structlog.processors.format_exc_info, structlog.processors.JSONRenderer())
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=_SHARED,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *rendering],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_SHARED,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )


def logger(name: str) -> FilteringBoundLogger:
    """The logger of one part of the product, named after its module."""
    bound: FilteringBoundLogger = structlog.get_logger(name)
    return bound


@contextmanager
def bound(**values: str | int) -> Iterator[None]:
    """Add values (a request, a correlation, a customer) to every line written inside."""
    with structlog.contextvars.bound_contextvars(**values):
        yield
