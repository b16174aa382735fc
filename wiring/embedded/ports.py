"""Free TCP ports on the loopback interface."""

from __future__ import annotations

import secrets
import socket


def free_port() -> int:
    """A port on 127.0.0.1 nobody listens on now.

    Taken from below the range the kernel gives to outgoing connections, so that it stays free for
    the same server while that restarts.
    """
    for _ in range(200):
        port = 20_000 + secrets.randbelow(12_000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise OSError("no free port between 20000 and 31999 on 127.0.0.1")
