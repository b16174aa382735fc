"""Taking a provider's message in: verified, durable, then facts, then events.

The message is kept before anybody hears 2xx. What follows may fail, be killed or be repeated at any
point: a sweeper takes the message up again, and a fact that is known changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from ledger.clock import Clock
from ledger.errors import FolioError, InvalidInput, Unavailable
from ledger.facts import ProviderAccount
from ledger.store.event_log import Receipt
from observability.logs import logger
from providers import inbox
from providers.inbox import Delivery, Kept, Status
from providers.stripe.webhooks import Envelope, read_envelope, verify, wrong_mode
from wiring.database import Database
from wiring.folding import NOTHING_WRITTEN, Folding, Message
from wiring.inbox_commits import Arrivals

_log = logger(__name__)


class WrongMode(InvalidInput):
    """A message of live mode at a test endpoint, or the other way round; kept, never folded."""

    code = "wrong_mode"


@dataclass(frozen=True, slots=True)
class Accepted:
    """What became of a message; the receipt is that of its last event, if it made any."""

    id: UUID
    event_id: str
    new: bool
    status: Status
    receipt: Receipt


class Intake:
    """Stripe's messages on their way from raw bytes to events."""

    def __init__(
        self,
        database: Database,
        folding: Folding,
        clock: Clock,
        *,
        account: ProviderAccount,
        secrets: Sequence[str],
        tolerance_seconds: int,
    ) -> None:
        self._database = database
        self._folding = folding
        self._clock = clock
        self._account = account
        self._secrets = secrets
        self._tolerance_seconds = tolerance_seconds
        self._arrivals = Arrivals(database)

    def close(self) -> None:
        """Write down what is known and stop."""
        self._folding.marks.close()

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
        message = Message(received.id, account, envelope.id, 1, envelope.content)
        if not received.new and account.livemode is self._account.livemode:
            return _accepted(message, received.status, new=False)
        try:
            status, receipt = self._folding.fold(message, may_fetch=False)
        except Unavailable as error:
            _log.warning("left to the sweeper", webhook=str(received.id), reason=str(error))
            return _accepted(message, Status.RECEIVED, new=True)
        reason = wrong_mode(envelope, self._account)
        if reason is not None:
            raise WrongMode("livemode", reason)
        return _accepted(message, status, new=True, receipt=receipt)

    def sweep(self, limit: int = 100) -> int:
        """Fold what is due: left behind by a request, released, or to be tried again.

        Returns how many messages were taken up.
        """
        with self._database.connection() as connection:
            taken = inbox.due(connection, self._clock.now(), limit)
        for kept in taken:
            try:
                message = _message(kept)
            except FolioError as error:  # what cannot be read must not stop what can
                _log.error("webhook unreadable", webhook=str(kept.row.id), reason=str(error))
                self._folding.fail(kept.row.id, f"{error.code}: {error}")
                continue
            self._folding.fold(message, may_fetch=True)
        return len(taken)

    def settle(self) -> None:
        """Write down at once which messages have been folded; it happens soon by itself."""
        self._folding.marks.flush()

    def replay(self, identifier: UUID) -> Accepted:
        """Fold a kept message once more, whatever became of it; raises NotFound."""
        now = self._clock.now()
        with self._database.connection() as connection:
            message = _message(inbox.get(connection, identifier))
            inbox.requeue(connection, identifier, now + inbox.SWEEPER_LEASE)
        status, receipt = self._folding.fold(message, may_fetch=True)
        return _accepted(message, status, new=False, receipt=receipt)

    def release(self, *dependencies: str) -> int:
        """Make due what waits for any of these; returns how many messages that are."""
        return self._folding.release(*dependencies)

    def _account_of(self, envelope: Envelope) -> ProviderAccount:
        ours = self._account
        return ProviderAccount(ours.provider, envelope.account or ours.account, envelope.livemode)


def _message(kept: Kept) -> Message:
    row = kept.row
    content = read_envelope(kept.payload()).content
    return Message(row.id, row.account, row.event_id, row.attempts, content)


def _accepted(
    message: Message, status: Status, *, new: bool, receipt: Receipt = NOTHING_WRITTEN
) -> Accepted:
    return Accepted(message.id, message.event_id, new, status, receipt)
