"""The library's way in: PERSISTENCE_MODULE=ledger.store.infrastructure puts it on our log.

EVENT_LOG_URL names the database, EVENT_LOG_BUCKET the bucket; MAPPER_TOPIC may name EventMapper.
"""

from __future__ import annotations

from typing import Final

from eventsourcing.persistence import (
    AggregateRecorder,
    InfrastructureFactory,
    InfrastructureFactoryError,
    TrackingRecorder,
)
from eventsourcing.utils import Environment, EnvType

from ledger.clock import SystemClock
from ledger.store.recorder import (
    BucketApplicationRecorder,
    BucketProcessRecorder,
    BucketTrackingRecorder,
)
from ledger.store.session import Sessions

_CONNECTIONS: Final = 8


class BucketFactory(InfrastructureFactory[TrackingRecorder]):
    """Makes the recorders of one bucket; the log keeps no snapshots."""

    def __init__(self, env: Environment | EnvType | None) -> None:
        super().__init__(env)
        url, bucket = self.env.get("EVENT_LOG_URL"), self.env.get("EVENT_LOG_BUCKET")
        if url is None or bucket is None:
            raise InfrastructureFactoryError("EVENT_LOG_URL and EVENT_LOG_BUCKET are needed")
        self._sessions = Sessions(url, most=_CONNECTIONS)
        self._bucket = int(bucket)
        self._clock = SystemClock()

    def close(self) -> None:
        """Close the idle connections."""
        self._sessions.close()

    def aggregate_recorder(self, purpose: str = "events") -> AggregateRecorder:
        """The application recorder; raises InfrastructureFactoryError for snapshots."""
        if purpose != "events":
            raise InfrastructureFactoryError(f"the log keeps no {purpose}")
        return self.application_recorder()

    def application_recorder(self) -> BucketApplicationRecorder:
        """The bucket's events."""
        return BucketApplicationRecorder(self._sessions, self._bucket, self._clock)

    def tracking_recorder(
        self, tracking_recorder_class: type[TrackingRecorder] | None = None
    ) -> TrackingRecorder:
        """A view of the given class, which must be a BucketTrackingRecorder, or a bare one."""
        made = tracking_recorder_class or BucketTrackingRecorder
        if not issubclass(made, BucketTrackingRecorder):
            raise InfrastructureFactoryError(f"{made.__name__} is no BucketTrackingRecorder")
        return made(self._sessions, self._bucket)

    def process_recorder(self) -> BucketProcessRecorder:
        """The bucket's events and what they follow from."""
        return BucketProcessRecorder(self._sessions, self._bucket, self._clock)
