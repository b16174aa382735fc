"""The message broker: Dramatiq on Redis, set so that a killed worker's messages come back soon.

Messages are hints that carry ids. PostgreSQL is the queue: whatever Redis loses is found again by
those who look there, so a message may be lost, repeated or late, and nothing is wrong but slower.
"""

from __future__ import annotations

from typing import Final

import redis
from dramatiq import Worker
from dramatiq.brokers.redis import RedisBroker
from dramatiq.middleware import AgeLimit, Retries, ShutdownNotifications, TimeLimit

_MILLISECOND: Final = 1
_SECOND: Final = 1000 * _MILLISECOND

# By default the messages of a worker that was killed wait for a 60 s heartbeat and then for a
# draw of 1 in 1000 per poll, which takes many minutes on an idle queue. Both are set to seconds.
_HEARTBEAT_TIMEOUT: Final = 5 * _SECOND
_ALWAYS_MAINTAIN: Final = 1_000_000

# What was not done in a minute is nominated anew by whoever looks in PostgreSQL.
_AGE_LIMIT: Final = 60 * _SECOND
_TIME_LIMIT: Final = 30 * _SECOND
_POLL: Final = 50 * _MILLISECOND
_DRAIN: Final = 10 * _SECOND
_SOCKET_SECONDS: Final = 5.0


def make_broker(redis_url: str, namespace: str = "folio") -> RedisBroker:
    """A broker with no actor yet; it connects at the first message."""
    # Dramatiq leaves this one constructor unannotated.
    return RedisBroker(  # type: ignore[no-untyped-call]
        client=redis.Redis.from_url(
            redis_url, socket_connect_timeout=_SOCKET_SECONDS, socket_timeout=_SOCKET_SECONDS
        ),
        namespace=namespace,
        heartbeat_timeout=_HEARTBEAT_TIMEOUT,
        maintenance_chance=_ALWAYS_MAINTAIN,
        middleware=[
            AgeLimit(max_age=_AGE_LIMIT),
            TimeLimit(time_limit=_TIME_LIMIT),
            ShutdownNotifications(),
            Retries(max_retries=3, min_backoff=200 * _MILLISECOND, max_backoff=5 * _SECOND),
        ],
    )


class WorkerThreads:
    """The threads of this process that carry out messages.

    Dramatiq's own command is not used: its master ends all workers when one of them is killed.
    """

    def __init__(self, broker: RedisBroker, threads: int) -> None:
        self._worker = Worker(broker, worker_threads=threads, worker_timeout=_POLL)

    def start(self) -> None:
        self._worker.start()

    def stop(self) -> None:
        """Finish the messages at hand and give back those not begun."""
        self._worker.stop(timeout=_DRAIN)
