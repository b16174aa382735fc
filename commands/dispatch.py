"""Carrying out commands: keys, conflicts and metadata, the same for all of them."""

from __future__ import annotations

from commands import catalog, customer, grant, observe, project, subscription
from commands.base import Caller, Command, Context, Decision, Handlers
from ledger.clock import Clock
from ledger.errors import KeyReused, VersionConflict
from ledger.store.event_log import Append, EventLog, KeyedInput, Receipt

_RETRIES = 2

HANDLERS: Handlers = {
    **project.HANDLERS,
    **customer.HANDLERS,
    **grant.HANDLERS,
    **catalog.HANDLERS,
    **subscription.HANDLERS,
    **observe.HANDLERS,
}


class Dispatcher:
    """The one door through which commands reach the log."""

    def __init__(self, log: EventLog, clock: Clock) -> None:
        self._log = log
        self._clock = clock

    def dispatch(self, command: Command, caller: Caller) -> Receipt:
        """Decide and append; a command whose key is known gets its receipt again.

        A decision without events and without a key writes nothing; its receipt is at position 0.
        Raises what the decider refuses, KeyReused, or VersionConflict when other writers won
        every try.
        """
        for _ in range(_RETRIES):
            try:
                return self._once(command, caller)
            except VersionConflict:
                continue  # somebody else was first: load again, decide again
        return self._once(command, caller)

    def _once(self, command: Command, caller: Caller) -> Receipt:
        decision = self._decide_or_replay(command)
        if isinstance(decision, Receipt):
            return decision
        return self._append(command, decision, caller)

    def _decide_or_replay(self, command: Command) -> Decision | Receipt:
        handler = HANDLERS[type(command)]
        context = Context(self._log, self._clock.now())
        if command.key is None:
            return handler(command, context)
        # Looked up first, so that a success is answered again before its own effects could be
        # taken for a conflict; what was refused may be asked again under the same key.
        scope = command.key_scope()
        known = self._log.receipt(scope, command.key) if scope else None
        if known is None:
            return handler(command, context)
        receipt, input_hash = known
        if input_hash != command.input_hash():
            raise KeyReused(command.key)
        return receipt

    def _append(self, command: Command, decision: Decision, caller: Caller) -> Receipt:
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
        return self._log.append(append)
