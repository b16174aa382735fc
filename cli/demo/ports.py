"""Which ports the demo takes: those that were asked for, else the first free ones."""

from __future__ import annotations

import socket
from typing import Final

_TRIED: Final = 20


class PortTaken(Exception):
    """Somebody listens already on a port that was asked for by number."""

    def __init__(self, host: str, port: int, setting: str) -> None:
        super().__init__(
            f"Port {port} on {host} is in use. Stop what listens there, or set {setting} to "
            "another port."
        )


def choose_port(host: str, asked: int | None, default: int, setting: str) -> int:
    """The port that was asked for, or the first free one from the default on."""
    if asked:
        if not _is_free(host, asked):
            raise PortTaken(host, asked, setting)
        return asked
    for port in range(default, default + _TRIED):
        if _is_free(host, port):
            return port
    raise PortTaken(host, default, setting)


def _is_free(host: str, port: int) -> bool:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        # As a server binds: a port whose last connections are still fading counts as free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True
