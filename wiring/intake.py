"""Taking a provider's message in: verified, durable, then facts, then events.

The message is kept before anybody hears 2xx. What follows may fail, be killed or be repeated at any
point: a sweeper takes the message up again, and a fact that is known changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from psycopg import Connection

from commands.base import Caller, Command
from commands.dispatch import Dispatcher
from commands.observe import ObserveAllocation, commands_for
from ledger.clock import Clock
from ledger.errors import Conflict, FolioError, InvalidInput, MissingParent, Unavailable
from ledger.facts import (
    AllocationFact,
    CustomerFact,
    Fact,
    InvoiceFact,
    ProductFact,
    ProviderAccount,
)
from ledger.store.event_log import Receipt
from observability.logs import logger
from providers import inbox
from providers.inbox import Delivery, Folded, Kept, Status
from providers.port import Ignored
from providers.stripe.normalise import normalise
from providers.stripe.webhooks import Envelope, read_envelope, verify, wrong_mode
from wiring.database import Database
from wiring.inbox_commits import Arrivals, FoldedMarks

_LONGEST_WAIT: Final = timedelta(hours=1)
_LAST_ATTEMPT: Final = 12
_PARENTS: Final = (CustomerFact, ProductFact, InvoiceFact)
_NOTHING: Final = Receipt(bucket=0, position=0, ids={}, replayed=False)

Nominate = Callable[[Connection, ProviderAccount, str], UUID | None]
"""Who a provider's invoice may belong to: a read model's guess, which a decider then checks."""

_log = logger(__name__)


class WrongMode(InvalidInput):
    """A message of live mode at a test endpoint, or the other way round; kept, never folded."""

    code = "wrong_mode"


@dataclass(frozen=True, slots=True)
class Accepted:
    """What became of a message; the position is that of its last event, when it made any."""

    id: UUID
    event_id: str
    new: bool
    status: Status
    receipt: Receipt


@dataclass(frozen=True, slots=True)
class _Message:
    id: UUID
    account: ProviderAccount
    event_id: str
    attempts: int
    content: Mapping[str, object]


class Intake:
    """Stripe's messages on their way from raw bytes to events."""

    def __init__(
        self,
        database: Database,
        dispatcher: Dispatcher,
        clock: Clock,
        *,
        account: ProviderAccount,
        secrets: Sequence[str],
        tolerance_seconds: int,
        nominate: Nominate,
    ) -> None:
        self._database = database
        self._dispatcher = dispatcher
        self._clock = clock
        self._account = account
        self._secrets = secrets
        self._tolerance_seconds = tolerance_seconds
        self._nominate = nominate
        self._arrivals = Arrivals(database)
        self._marks = FoldedMarks(database, clock)

    def close(self) -> None:
        """Write down what is known and stop."""
        self._marks.close()

    def receive(self, payload: bytes, signature: str | bytes | None) -> Accepted:
        """Keep a signed message and, when it is new, fold it.

        Raises SignatureRefused, MalformedPayload or WrongMode, and Unavailable when the message
        could not be kept. Once it is kept, nothing that goes wrong is the sender's business.
        """
        now = self._clock.now()
        verify(payload, signature, self._secrets, now, self._tolerance_seconds)
        envelope = read_envelope(payload)
        account = self._account_of(envelope)
        delivery = Delivery(
            account=account,
            event_id=envelope.id,
            type=envelope.type,
            provider_created_at=envelope.created,
            received_at=now,
            payload=payload,
        )
        received = self._arrivals.keep(delivery)
        self._refuse_wrong_mode(envelope, received.id)
        message = _Message(received.id, account, envelope.id, 1, envelope.content)
        if not received.new:
            return _accepted(message, received.status, new=False)
        try:
            status, receipt = self._fold(message)
        except Unavailable as error:
            _log.warning("left to the sweeper", webhook=str(received.id), reason=str(error))
            return _accepted(message, Status.RECEIVED, new=True)
        return _accepted(message, status, new=True, receipt=receipt)

    def sweep(self, limit: int = 100) -> int:
        """Fold what is due: left behind by a request, released, or to be tried again.

        Returns how many messages were taken up.
        """
        with self._database.connection() as connection:
            taken = inbox.due(connection, self._clock.now(), limit)
        for kept in taken:
            self._fold(_message(kept))
        return len(taken)

    def settle(self) -> None:
        """Write down at once which messages have been folded; it happens soon by itself."""
        self._marks.flush()

    def replay(self, identifier: UUID) -> Accepted:
        """Fold a kept message once more, whatever became of it; raises NotFound."""
        now = self._clock.now()
        with self._database.connection() as connection:
            kept = inbox.get(connection, identifier)
            inbox.requeue(connection, identifier, now + inbox.SWEEPER_LEASE)
        message = _message(kept)
        status, receipt = self._fold(message)
        return _accepted(message, status, new=False, receipt=receipt)

    def release(self, *dependencies: str) -> int:
        """Make due what waits for any of these; returns how many messages that are."""
        with self._database.connection() as connection:
            return inbox.release(connection, dependencies, self._clock.now())

    def _account_of(self, envelope: Envelope) -> ProviderAccount:
        ours = self._account
        return ProviderAccount(ours.provider, envelope.account or ours.account, envelope.livemode)

    def _refuse_wrong_mode(self, envelope: Envelope, row: UUID) -> None:
        reason = wrong_mode(envelope, self._account)
        if reason is None:
            return
        with self._database.connection() as connection:
            inbox.mark_failed(connection, row, self._clock.now(), reason=reason, retry_at=None)
        raise WrongMode("livemode", reason)

    def _fold(self, message: _Message) -> tuple[Status, Receipt]:
        """Take in a message's facts and mark how far it came; Unavailable leaves it unmarked."""
        try:
            reading = normalise(message.content, message.account)
            if isinstance(reading, Ignored):
                return self._mark_ignored(message, reading.reason)
            receipt = self._take_in(message, reading)
        except MissingParent as waits:
            return self._mark_parked(message, waits)
        except Unavailable:
            raise
        except FolioError as refused:
            again = isinstance(refused, Conflict)
            return self._mark_failed(message, f"{refused.code}: {refused}", again=again)
        except Exception as error:  # noqa: BLE001 (a fault of ours is never the sender's business)
            _log.exception("webhook failed", webhook=str(message.id))
            return self._mark_failed(message, type(error).__name__, again=True)
        folded = Folded(message.id)
        if receipt.position:
            folded = Folded(message.id, receipt.bucket, receipt.position)
        self._marks.add(folded)
        return Status.FOLDED, receipt

    def _take_in(self, message: _Message, facts: Sequence[Fact]) -> Receipt:
        caller = Caller(
            actor=f"provider:{message.account.provider}",
            correlation=message.id,
            causation=message.event_id,
        )
        commands = (command for fact in facts for command in self._commands(fact, facts))
        receipts = self._dispatcher.chain(commands, caller)
        written = [receipt for receipt in receipts if receipt.position]
        if not written:
            return _NOTHING
        parents = [fact for fact in facts if isinstance(fact, _PARENTS)]
        if parents:
            self.release(*(fact.dependency(fact.provider_id) for fact in parents))
        return written[-1]

    def _commands(self, fact: Fact, message: Sequence[Fact]) -> tuple[Command, ...]:
        if not isinstance(fact, AllocationFact):
            return commands_for(fact, mentioned=len(message) > 1)
        with self._database.connection() as connection:
            customer = self._nominate(connection, fact.account, fact.invoice)
        if customer is None:
            raise MissingParent(fact.dependency(fact.invoice))
        return (ObserveAllocation(fact=fact, customer=customer),)

    def _mark_ignored(self, message: _Message, reason: str) -> tuple[Status, Receipt]:
        with self._database.connection() as connection:
            inbox.mark_ignored(connection, message.id, self._clock.now(), reason)
        return Status.IGNORED, _NOTHING

    def _mark_parked(self, message: _Message, waits: MissingParent) -> tuple[Status, Receipt]:
        now = self._clock.now()
        with self._database.connection() as connection:
            inbox.mark_parked(
                connection,
                message.id,
                now,
                dependency=waits.dependency,
                reason=str(waits),
                retry_at=_next_attempt(message, now),
            )
        return Status.PARKED, _NOTHING

    def _mark_failed(
        self, message: _Message, reason: str, *, again: bool
    ) -> tuple[Status, Receipt]:
        now = self._clock.now()
        retry = again and message.attempts < _LAST_ATTEMPT
        with self._database.connection() as connection:
            inbox.mark_failed(
                connection,
                message.id,
                now,
                reason=reason,
                retry_at=_next_attempt(message, now) if retry else None,
            )
        return Status.FAILED, _NOTHING


def _next_attempt(message: _Message, now: datetime) -> datetime:
    return now + min(timedelta(seconds=2 ** min(message.attempts, 12)), _LONGEST_WAIT)


def _message(kept: Kept) -> _Message:
    row = kept.row
    content = read_envelope(kept.payload()).content
    return _Message(row.id, row.account, row.event_id, row.attempts, content)


def _accepted(
    message: _Message, status: Status, *, new: bool, receipt: Receipt = _NOTHING
) -> Accepted:
    return Accepted(message.id, message.event_id, new, status, receipt)
