"""Log lines: one JSON object each, ours and the libraries' alike."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from observability.logs import bound, configure_logs, logger


@pytest.fixture(autouse=True)
def logs_as_they_were() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def test_a_line_carries_its_fields_and_what_is_bound(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs()
    with bound(correlation="c-1"):
        logger("providers.inbox").warning("webhook parked", event_id="evt_1", attempts=2)
    logger("providers.inbox").info("done")

    first, second = (json.loads(line) for line in capsys.readouterr().err.splitlines())
    assert first["correlation"] == "c-1"
    assert first["level"] == "warning"
    assert first["logger"] == "providers.inbox"
    assert first["attempts"] == 2
    assert "correlation" not in second


def test_libraries_write_the_same_lines(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("WARNING")
    logging.getLogger("uvicorn.error").warning("port %s is taken", 8000)
    logging.getLogger("uvicorn.error").info("unimportant")

    [line] = capsys.readouterr().err.splitlines()
    assert json.loads(line)["event"] == "port 8000 is taken"


def test_an_exception_is_part_of_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs()
    try:
        raise ValueError("bad amount")
    except ValueError:
        logger("ledger").exception("refused")

    [line] = capsys.readouterr().err.splitlines()
    assert "ValueError: bad amount" in json.loads(line)["exception"]
