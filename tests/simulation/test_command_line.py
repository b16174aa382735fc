"""`python -m simulation.stripe`, as `make run` starts it."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import msgspec

ROOT = Path(__file__).parents[2]


def pull(port: int, method: str, lever: str, body: dict[str, Any] | None = None) -> Any:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request(method, f"/_simulator/{lever}", msgspec.json.encode(body or {}))
    with connection.getresponse() as response:
        answer = msgspec.json.decode(response.read())
    connection.close()
    return response.status, answer


def wait_for(port: int) -> None:
    for _ in range(400):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError("the simulator did not come up")


def test_it_serves_moves_time_by_levers_and_keeps_its_state(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    file = tmp_path / "kept" / "stripe.json"
    command = [
        sys.executable, "-m", "simulation.stripe", "--port", str(port), "--seed", "9",
        "--start", "2026-05-01", "--state", str(file),
    ]  # fmt: skip
    process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)})
    try:
        wait_for(port)
        status, answer = pull(port, "GET", "status")
        assert (status, answer["now"]) == (200, 1_777_593_600)
        status, answer = pull(port, "POST", "advance", {"by": 3600, "drain": True})
        assert (status, answer["now"], answer["pending"]) == (200, 1_777_597_200, 0)
        assert pull(port, "POST", "advance", {"to": 1})[0] == 400
        assert pull(port, "POST", "fly")[0] == 404
        assert pull(port, "POST", "card", {"payment_method": "pm_x", "outcome": "rich"})[0] == 400
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)
    assert msgspec.json.decode(file.read_bytes())["now"] == 1_777_597_200
