"""Carrying out commands: keys, conflicts and metadata, the same for all of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from commands import (
    catalog,
    customer,
    grant,
    homes,
    observe,
    observe_catalog,
    observe_subscription,
    project,
    subscription,
)
from commands.base import Caller, Command, Context, Decision, Handlers
from ledger.clock import Clock
from ledger.errors import KeyReused, VersionConflict
from ledger.store.event_log import Append, EventLog, KeyedInput, Receipt

_RETRIES = 2
_MOST_SETTLED = 200_000

HANDLERS: Handlers = {
    **project.HANDLERS,
    **customer.HANDLERS,
    **grant.HANDLERS,
    **catalog.HANDLERS,
    **subscription.HANDLERS,
    **homes.HANDLERS,
    **observe.HANDLERS,
    **observe_catalog.HANDLERS,
    **observe_subscription.HANDLERS,
}


@dataclass(frozen=True, slots=True)
class Chain:
    """Commands of one story, carried out one after the other, each its own append."""

    _carry_out: Callable[[Command, Caller, Context], Receipt]
    _caller: Caller
    _context: Context

    def dispatch(self, command: Command) -> Receipt:
        """See `Dispatcher.dispatch`."""
        return self._carry_out(command, self._caller, self._context)


class Dispatcher:
    """The one door through which commands reach the log."""

    def __init__(self, log: EventLog, clock: Clock) -> None:
        self._log = log
        self._clock = clock
        self._settled: dict[UUID, object] = {}

    def dispatch(self, command: Command, caller: Caller) -> Receipt:
        """Decide and append; a command whose key is known gets its receipt again.

        A decision without events and without a key writes nothing; its receipt is at position 0.
        Raises what the decider refuses, KeyReused, or VersionConflict when other writers won
        every try.
        """
        return self.chain(caller).dispatch(command)

    def chain(self, caller: Caller) -> Chain:
        """A story of several commands that need not all read what they have in common."""
        return Chain(self._carry_out, caller, self._context())

    def _context(self) -> Context:
        if len(self._settled) > _MOST_SETTLED:
            self._settled.clear()
        return Context(self._log, self._clock.now(), self._settled)

    def _carry_out(self, command: Command, caller: Caller, context: Context) -> Receipt:
        for _ in range(_RETRIES):
            try:
                return self._once(command, caller, context)
            except VersionConflict:
                context.forget()  # somebody else was first: load again, decide again
        return self._once(command, caller, context)

    def _once(self, command: Command, caller: Caller, context: Context) -> Receipt:
        known = self._replayed(command)
        if known is not None:
            return known
        decision = HANDLERS[type(command)](command, context)
        return self._append(command, decision, caller, context)

    def _replayed(self, command: Command) -> Receipt | None:
        # Looked up first, so that a success is answered again before its own effects could be
        # taken for a conflict; what was refused may be asked again under the same key.
        scope = command.key_scope()
        if command.key is None or scope is None:
            return None
        known = self._log.receipt(scope, command.key)
        if known is None:
            return None
        receipt, input_hash = known
        if input_hash != command.input_hash():
            raise KeyReused(command.key)
        return receipt

    def _append(
        self, command: Command, decision: Decision, caller: Caller, context: Context
    ) -> Receipt:
        events = decision.events
        keyed = None
        if command.key is not None:
            keyed = KeyedInput(
                project=decision.project, key=command.key, input_hash=command.input_hash()
            )
        append = Append(
            project=decision.project,
            owner=decision.owner,
            actor=caller.actor,
            correlation=caller.correlation,
            causation=caller.causation,
            events=events,
            keyed=keyed,
            ids=decision.ids,
        )
        if not events and keyed is None:
            return Receipt(bucket=append.bucket, position=0, ids=decision.ids, replayed=False)
        receipt = self._log.append(append)
        context.forget()
        return receipt
