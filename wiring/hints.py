"""Hints: which buckets have news, told through Redis after the fact, and never relied upon.

A hint saves a reader from waiting for its next look. Whatever Redis loses, delays or repeats, a
reader that looks by itself finds the same; so nothing here raises, blocks or waits for Redis.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from typing import Final

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from observability.logs import logger

_COALESCE_SECONDS: Final = 0.005
_RECONNECT_SECONDS: Final = 0.5
_SOCKET_SECONDS: Final = 2.0

_log = logger(__name__)


class Channel(StrEnum):
    """What a hint is about."""

    APPENDED = "folio:appended"  # the log has news in these buckets
    PROJECTED = "folio:projected"  # read models have reached these positions


def encode(positions: Mapping[int, int]) -> str:
    """Buckets with the position each has reached; 0 where it is not known."""
    return ",".join(f"{bucket}:{position}" for bucket, position in positions.items())


def decode(text: str) -> dict[int, int]:
    """The buckets and positions of a hint; ValueError for what is none."""
    pairs = (part.split(":") for part in text.split(","))
    return {int(bucket): int(position) for bucket, position in pairs}


def _connect(url: str) -> redis.Redis:
    return redis.Redis.from_url(
        url,
        decode_responses=True,
        socket_timeout=_SOCKET_SECONDS,
        socket_connect_timeout=_SOCKET_SECONDS,
        retry=Retry(NoBackoff(), 0),
        protocol=3,
        health_check_interval=int(_SOCKET_SECONDS),
    )


class Teller:
    """Tells one channel's hints from a thread of its own, several at once when they come fast."""

    def __init__(self, url: str, channel: Channel) -> None:
        self._redis = _connect(url)
        self._channel = channel
        self._waiting: dict[int, int] = {}
        self._lock = threading.Lock()
        self._news = threading.Event()
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"tell {channel}", daemon=True)
        self._thread.start()

    def buckets(self, buckets: Iterable[int]) -> None:
        """Tell that these buckets have news."""
        self.positions(dict.fromkeys(buckets, 0))

    def positions(self, positions: Mapping[int, int]) -> None:
        """Tell that these buckets have reached these positions."""
        with self._lock:
            for bucket, position in positions.items():
                self._waiting[bucket] = max(position, self._waiting.get(bucket, 0))
        self._news.set()

    def close(self) -> None:
        self._closed.set()
        self._news.set()
        self._thread.join(timeout=_SOCKET_SECONDS)
        self._redis.close()

    def _run(self) -> None:
        while not self._closed.is_set():
            self._news.wait()
            self._news.clear()
            with self._lock:
                told, self._waiting = self._waiting, {}
            if told:
                self._publish(encode(told))
                self._closed.wait(_COALESCE_SECONDS)  # the first is told at once, the next together

    def _publish(self, message: str) -> None:
        try:
            self._redis.publish(self._channel, message)
        except redis.RedisError as error:
            _log.debug("hint lost", channel=self._channel, error=type(error).__name__)
            self._closed.wait(_RECONNECT_SECONDS)


class Listener:
    """Hears one channel's hints in a thread of its own, for as long as Redis lasts.

    `heard` gets the buckets and positions of each hint. `missed` is called whenever hints may have
    been lost, that is after each time of not listening, the first included.
    """

    def __init__(
        self,
        url: str,
        channel: Channel,
        *,
        heard: Callable[[Mapping[int, int]], None],
        missed: Callable[[], None],
    ) -> None:
        self._url = url
        self._channel = channel
        self._heard = heard
        self._missed = missed
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"hear {channel}", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._closed.set()
        self._thread.join(timeout=2 * _SOCKET_SECONDS)

    def _run(self) -> None:
        while not self._closed.is_set():
            try:
                self._listen()
            except (redis.RedisError, ValueError) as error:
                _log.debug("not listening", channel=self._channel, error=type(error).__name__)
                self._closed.wait(_RECONNECT_SECONDS)

    def _listen(self) -> None:
        connection = _connect(self._url)
        try:
            # redis-py leaves this one factory unannotated.
            with connection.pubsub() as subscription:  # type: ignore[no-untyped-call]
                subscription.subscribe(self._channel)
                while not self._closed.is_set():
                    message = subscription.get_message(timeout=_RECONNECT_SECONDS)
                    if message is None:
                        continue
                    if message["type"] == "subscribe":
                        self._missed()
                    elif message["type"] == "message":
                        self._heard(decode(message["data"]))
        finally:
            connection.close()
