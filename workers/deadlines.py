"""What falls due by itself: a trial's end, the end of grace, the expiry of a grant.

The read model nominates, the decider decides. Access ends on time without any of this, because
rows carry `valid_until`; what is recorded here is that it has ended.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Final
from uuid import UUID

import redis
from dramatiq import Actor, Broker
from dramatiq.errors import BrokerError

from commands.base import Caller, ProjectCommand
from commands.grant import ExpireGrant
from commands.subscription import EndGrace, EndTrial
from ledger.errors import FolioError, Unavailable
from ledger.ids import bucket_in, new_id
from observability.logs import logger
from projections import deadlines
from projections.deadlines import Deadline, DeadlineKind
from wiring.services import Services

QUEUE: Final = "deadlines"
_AT_ONCE: Final = 200
_PATIENCE_SECONDS: Final = 10.0

_log = logger(__name__)

_COMMANDS: Final[Mapping[DeadlineKind, Callable[[UUID, UUID], ProjectCommand]]] = {
    DeadlineKind.TRIAL_END: lambda project, stream: EndTrial(project=project, subscription=stream),
    DeadlineKind.GRACE_END: lambda project, stream: EndGrace(project=project, subscription=stream),
    DeadlineKind.GRANT_EXPIRY: lambda project, stream: ExpireGrant(project=project, grant=stream),
}


class Deadlines:
    """Finds what is due and has it decided, here or by whichever worker takes the message.

    The commands carry no idempotency key on purpose: a stream's own state and version let each
    transition in once, and a key would keep for ever the answer "not yet" of a clock that is slow.
    """

    def __init__(self, services: Services, broker: Broker) -> None:
        self._services = services
        self._sent: dict[Deadline, float] = {}
        self._actor: Actor[[str, str, str], None] = Actor(
            self._pass,
            broker=broker,
            actor_name="pass_deadline",
            queue_name=QUEUE,
            priority=0,
            options={},
        )

    def nominate(self) -> None:
        """Hand over what is due now; what nobody has passed ten seconds later is sent again."""
        now = self._services.clock.now()
        with self._services.database.connection() as connection:
            due = deadlines.due(connection, now, _AT_ONCE + len(self._sent))
        present = time.monotonic()
        self._sent = {
            deadline: at for deadline, at in self._sent.items() if present - at < _PATIENCE_SECONDS
        }
        for deadline in due:
            if deadline not in self._sent:
                self._sent[deadline] = present
                self._hand_over(deadline)

    def _hand_over(self, deadline: Deadline) -> None:
        ids = (deadline.kind, str(deadline.project), str(deadline.stream))
        try:
            self._actor.send(*ids)
        except (redis.RedisError, BrokerError) as error:
            # Redis is a hint: without it, whoever nominates decides.
            _log.warning("no broker", error=type(error).__name__)
            self._pass_here(ids)

    def _pass_here(self, ids: tuple[str, str, str]) -> None:
        try:
            self._pass(*ids)
        except Unavailable:
            raise
        except FolioError as error:  # one that cannot be passed must not hold up the others
            _log.error("deadline not passed", stream=ids[2], error=str(error))

    def _pass(self, kind: str, project: str, stream: str) -> None:
        """Let the decider record that a deadline has passed, if it has."""
        services, subject = self._services, UUID(stream)
        caller = Caller(
            actor="scheduler", correlation=new_id(bucket_in(subject), services.clock.now())
        )
        command = _COMMANDS[DeadlineKind(kind)](UUID(project), subject)
        receipt = services.dispatcher.dispatch(command, caller)
        if receipt.position:
            _log.info("deadline passed", kind=kind, stream=stream, position=receipt.position)
