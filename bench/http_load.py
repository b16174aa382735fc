"""A load generator in one process: many keep-alive connections, one request in flight on each.

`python -m bench.http_load ADDRESS CONNECTIONS SECONDS RATE < requests` prints what it saw as JSON.
Requests come as length-prefixed raw bytes. With SECONDS they are sent round and round for that
long; with 0, each is sent once. With a RATE (per second), sends are spread evenly and latency
counts from the moment a send was due, so that a stall is felt by everybody who would have come.
"""

from __future__ import annotations

import json
import select
import socket
import struct
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import cycle
from time import perf_counter, sleep

_LENGTH = struct.Struct(">I")


@dataclass(frozen=True, slots=True)
class Seen:
    """What a run saw: answers per second, latencies in milliseconds, and answers beyond 299."""

    answers: int
    refused: int
    seconds: float
    per_second: float
    p50: float
    p95: float
    p99: float


def pack(requests: list[bytes]) -> bytes:
    """Requests as this program reads them."""
    return b"".join(_LENGTH.pack(len(request)) + request for request in requests)


def _unpack(packed: bytes) -> Iterator[bytes]:
    at = 0
    while at < len(packed):
        (length,) = _LENGTH.unpack_from(packed, at)
        yield packed[at + 4 : at + 4 + length]
        at += 4 + length


class _Run:
    def __init__(self, address: tuple[str, int], connections: int) -> None:
        self._poll = select.epoll()
        self._sockets: dict[int, socket.socket] = {}
        self._partly: dict[int, bytes] = {}
        self._since: dict[int, float] = {}
        self.idle: list[int] = []
        self.latencies: list[float] = []
        self.refused = 0
        for _ in range(connections):
            connection = socket.create_connection(address)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            number = connection.fileno()
            self._sockets[number] = connection
            self._poll.register(number, select.EPOLLIN)
            self.idle.append(number)

    @property
    def under_way(self) -> int:
        return len(self._since)

    def send(self, request: bytes, due: float) -> None:
        number = self.idle.pop()
        self._since[number] = due
        self._sockets[number].sendall(request)

    def take(self, patience: float) -> None:
        """Take in the answers that have come."""
        for number, _ in self._poll.poll(patience):
            data = self._sockets[number].recv(262_144)
            if not data:
                raise ConnectionError("the server hung up")
            data = self._partly.pop(number, b"") + data
            if not _is_whole(data):
                self._partly[number] = data
                continue
            self.latencies.append(perf_counter() - self._since.pop(number))
            self.refused += data[9:10] not in b"23"
            self.idle.append(number)


def _is_whole(data: bytes) -> bool:
    end = data.find(b"\r\n\r\n")
    if end < 0:
        return False
    at = data.find(b"content-length: ", 0, end)
    if at < 0:
        return True
    length = int(data[at + 16 : data.index(b"\r", at)])
    return len(data) >= end + 4 + length


def run(
    address: tuple[str, int],
    connections: int,
    seconds: float,
    rate: float,
    requests: Iterator[bytes],
) -> Seen:
    """Send requests until they or the time are over."""
    at_work = _Run(address, connections)
    began = due = perf_counter()
    until = began + seconds if seconds else float("inf")
    wanted = next(requests, None)
    while wanted is not None or at_work.under_way:
        now = perf_counter()
        if now >= until:
            wanted = None
        while wanted is not None and at_work.idle and (not rate or due <= now):
            at_work.send(wanted, due if rate else perf_counter())
            due += 1 / rate if rate else 0
            wanted = next(requests, None)
        waits = rate and wanted is not None and at_work.idle
        if at_work.under_way:
            at_work.take(max(0.0, due - perf_counter()) if waits else 1.0)
        elif waits:
            sleep(max(0.0, due - perf_counter()))
    took = perf_counter() - began
    ordered = sorted(at_work.latencies)

    def quantile(share: float) -> float:
        return 1000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))]

    return Seen(
        answers=len(ordered),
        refused=at_work.refused,
        seconds=took,
        per_second=len(ordered) / took,
        p50=quantile(0.5),
        p95=quantile(0.95),
        p99=quantile(0.99),
    )


def main() -> None:
    host, port = sys.argv[1].rsplit(":", 1)
    connections, seconds, rate = int(sys.argv[2]), float(sys.argv[3]), float(sys.argv[4])
    given = list(_unpack(sys.stdin.buffer.read()))
    requests = cycle(given) if seconds else iter(given)
    json.dump(asdict(run((host, int(port)), connections, seconds, rate, requests)), sys.stdout)


if __name__ == "__main__":
    main()
