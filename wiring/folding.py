"""A kept message becomes events: read, fetched when cut short, decided, marked.

Whatever goes wrong is written beside the message: what it waits for, why it failed, whether and
when it is tried again. Only a database that does not answer leaves a message as it was.
"""

from __future__ import annotations

import time
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
from ledger.errors import Conflict, FolioError, MissingParent, Unavailable
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
from observability.metrics import Tally
from providers import inbox
from providers.inbox import Folded, Status
from providers.port import UNMAPPED, Gateway, Ignored, NeedsFetch, Reading
from providers.stripe.normalise import normalise
from wiring.database import Database
from wiring.inbox_commits import FoldedMarks

_LONGEST_WAIT: Final = timedelta(hours=1)
_LAST_ATTEMPT: Final = 12
_AWAY_SECONDS: Final = 10.0
_PARENTS: Final = (CustomerFact, ProductFact, InvoiceFact)
NOTHING_WRITTEN: Final = Receipt(bucket=0, position=0, ids={}, replayed=False)

Nominate = Callable[[Connection, ProviderAccount, str], UUID | None]
"""Who a provider's invoice may belong to: a read model's guess, which a decider then checks."""

_log = logger(__name__)
_outcomes = Tally(
    "folio_webhook_outcomes",
    "Webhooks by what became of them, each time they were taken up.",
    outcome=(*Status, UNMAPPED.reason),
)


class _ProviderAway(FolioError):
    """The provider could not be asked for what a message left out; to be tried again."""

    code = "provider_away"


@dataclass(frozen=True, slots=True)
class Message:
    """A kept message and how often it has been taken up, this time included."""

    id: UUID
    account: ProviderAccount
    event_id: str
    attempts: int
    content: Mapping[str, object]


class Folding:
    """Folds messages one at a time; safe to repeat and to run anywhere at once."""

    def __init__(
        self,
        database: Database,
        dispatcher: Dispatcher,
        clock: Clock,
        *,
        account: ProviderAccount,
        nominate: Nominate,
        gateway: Gateway | None,
    ) -> None:
        self._database = database
        self._dispatcher = dispatcher
        self._clock = clock
        self._account = account
        self._nominate = nominate
        self._gateway = gateway
        self._ask_again_at = 0.0
        self.marks = FoldedMarks(database, clock)

    def fold(self, message: Message, *, may_fetch: bool) -> tuple[Status, Receipt]:
        """Take in a message's facts and mark how far it came.

        A message cut short is left to whoever may fetch; one of the other mode is never folded.
        Raises Unavailable.
        """
        status, receipt = self._outcome(message, may_fetch)
        if status is not Status.IGNORED:
            _outcomes.add(outcome=status)
        return status, receipt

    def _outcome(self, message: Message, may_fetch: bool) -> tuple[Status, Receipt]:
        if message.account.livemode is not self._account.livemode:
            return self._mark_failed(message, "wrong_mode", again=False)
        try:
            reading = self._read(message, may_fetch)
            if reading is None:
                return Status.RECEIVED, NOTHING_WRITTEN
            if isinstance(reading, Ignored):
                return self._mark_ignored(message, reading.reason)
            receipt = self._take_in(message, reading)
        except MissingParent as waits:
            return self._mark_parked(message, waits)
        except Unavailable:
            raise
        except FolioError as refused:
            again = isinstance(refused, Conflict | _ProviderAway)
            return self._mark_failed(message, f"{refused.code}: {refused}", again=again)
        except Exception as error:  # noqa: BLE001 (a fault of ours is never the sender's business)
            _log.exception("webhook failed", webhook=str(message.id))
            return self._mark_failed(message, type(error).__name__, again=True)
        folded = Folded(message.id)
        if receipt.position:
            folded = Folded(message.id, receipt.bucket, receipt.position)
        self.marks.add(folded)
        return Status.FOLDED, receipt

    def _read(self, message: Message, may_fetch: bool) -> Reading | None:
        try:
            return normalise(message.content, message.account)
        except NeedsFetch as cut:
            if self._gateway is None or message.account != self._account:
                raise
            return self._fetch(self._gateway, cut) if may_fetch else None

    def _fetch(self, gateway: Gateway, cut: NeedsFetch) -> Reading:
        # A provider that just kept us waiting would keep the messages behind this one waiting too.
        if time.monotonic() < self._ask_again_at:
            raise _ProviderAway("did not answer a moment ago")
        ask = {"subscription": gateway.subscription, "invoice": gateway.invoice}
        try:
            return ask[cut.kind](cut.provider_id)
        except Unavailable as away:
            self._ask_again_at = time.monotonic() + _AWAY_SECONDS
            raise _ProviderAway(str(away)) from away

    def _take_in(self, message: Message, facts: Sequence[Fact]) -> Receipt:
        caller = Caller(
            actor=f"provider:{message.account.provider}",
            correlation=message.id,
            causation=message.event_id,
        )
        chain = self._dispatcher.chain(caller)
        last = NOTHING_WRITTEN
        for fact in facts:
            receipts = [chain.dispatch(command) for command in self._commands(fact, facts)]
            written = [receipt for receipt in receipts if receipt.position]
            last = written[-1] if written else last
            # A message taken up again may have been killed after its append: tell once more.
            if isinstance(fact, _PARENTS) and (written or message.attempts > 1):
                self.release(fact.dependency(fact.provider_id))
        return last

    def release(self, *dependencies: str) -> int:
        """Make due what waits for any of these; returns how many messages that are."""
        with self._database.connection() as connection:
            return inbox.release(connection, dependencies, self._clock.now())

    def _commands(self, fact: Fact, message: Sequence[Fact]) -> tuple[Command, ...]:
        if not isinstance(fact, AllocationFact):
            return commands_for(fact, mentioned=len(message) > 1)
        with self._database.connection() as connection:
            customer = self._nominate(connection, fact.account, fact.invoice)
        if customer is None:
            raise MissingParent(fact.dependency(fact.invoice))
        return (ObserveAllocation(fact=fact, customer=customer),)

    def fail(self, identifier: UUID, reason: str, retry_at: datetime | None = None) -> None:
        """Mark a message as failed; without `retry_at` only a replay takes it up again."""
        with self._database.connection() as connection:
            inbox.mark_failed(
                connection, identifier, self._clock.now(), reason=reason, retry_at=retry_at
            )

    def _mark_ignored(self, message: Message, reason: str) -> tuple[Status, Receipt]:
        _outcomes.add(outcome=reason if reason == UNMAPPED.reason else Status.IGNORED)
        with self._database.connection() as connection:
            inbox.mark_ignored(connection, message.id, self._clock.now(), reason)
        return Status.IGNORED, NOTHING_WRITTEN

    def _mark_parked(self, message: Message, waits: MissingParent) -> tuple[Status, Receipt]:
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
        return Status.PARKED, NOTHING_WRITTEN

    def _mark_failed(self, message: Message, reason: str, *, again: bool) -> tuple[Status, Receipt]:
        retry = again and message.attempts < _LAST_ATTEMPT
        retry_at = _next_attempt(message, self._clock.now()) if retry else None
        self.fail(message.id, reason, retry_at)
        return Status.FAILED, NOTHING_WRITTEN


def _next_attempt(message: Message, now: datetime) -> datetime:
    return now + min(timedelta(seconds=2 ** min(message.attempts - 1, 12)), _LONGEST_WAIT)
