"""Committing groups of appends: outcomes told apart, lost answers followed up."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Final

import psycopg
from psycopg import errors

from ledger.clock import Clock
from ledger.errors import (
    FolioError,
    InvalidInput,
    KeyReused,
    OutcomeUnknown,
    Unavailable,
    VersionConflict,
)
from ledger.journal.entry import Unbalanced
from ledger.store import reading
from ledger.store.event_log import Receipt
from ledger.store.packing import Group, Packed
from ledger.store.session import Lost, Session, Sessions

Outcome = Receipt | Exception
Hint = Callable[[Sequence[int]], None]

_THE_LOG: Final = "the event log"
_PAUSE_MS: Final = 50


class Writer:
    """Writes groups of appends; a refused one never harms its neighbours."""

    def __init__(self, sessions: Sessions, clock: Clock, hint: Hint, patience: timedelta) -> None:
        self._sessions = sessions
        self._clock = clock
        self._hint = hint
        self._patience = patience

    def write(self, members: Sequence[Packed]) -> list[Outcome]:
        """Commit these appends, in one transaction if none is refused: an outcome for each."""
        outcomes: dict[Packed, Outcome] = {}
        waiting = sorted(members, key=lambda member: member.bucket)
        while waiting:
            outcomes.update(self._attempt(waiting))
            waiting = [member for member in waiting if member not in outcomes]
        return [outcomes[member] for member in members]

    def _attempt(self, members: list[Packed]) -> dict[Packed, Outcome]:
        """Write all, or settle at least one that stands in the way of the others."""
        try:
            with self._sessions.use() as session:
                return self._call(session, members, followed_up=False)
        except Lost:
            return self._follow_up(members)
        except Unavailable as error:
            return dict.fromkeys(members, error)
        except psycopg.Error as error:
            if len(members) == 1:
                return {members[0]: _refusal(members[0], error)}
        return self._one_by_one(members)

    def _one_by_one(self, members: list[Packed]) -> dict[Packed, Outcome]:
        """Find out which of a refused group is to blame; who shares a stuck bucket waits once."""
        outcomes: dict[Packed, Outcome] = {}
        stuck: dict[int, Unavailable] = {}
        for member in members:
            if member.bucket in stuck:
                outcomes[member] = stuck[member.bucket]
                continue
            outcomes |= self._attempt([member])
            outcome = outcomes[member]
            if isinstance(outcome, Unavailable):
                stuck[member.bucket] = outcome
        return outcomes

    def _follow_up(self, members: list[Packed]) -> dict[Packed, Outcome]:
        """Learn the fate of a write whose answer was lost, by writing it again.

        That is safe and conclusive: versions and keys are unique, so whichever of the two writes
        comes second is refused, and finds the first.
        """
        until = time.monotonic() + self._patience.total_seconds()
        while True:
            self._sessions.drop_idle()
            try:
                with self._sessions.use() as session:
                    return self._call(session, members, followed_up=True)
            except (Lost, Unavailable, errors.OperationalError) as error:
                if time.monotonic() >= until:
                    unknown = OutcomeUnknown(_THE_LOG)
                    unknown.__cause__ = error
                    return dict.fromkeys(members, unknown)
            except psycopg.Error as error:
                return {member: _refusal(member, error) for member in members}
            time.sleep(_PAUSE_MS / 1000)

    def _call(
        self, session: Session, members: list[Packed], *, followed_up: bool
    ) -> dict[Packed, Outcome]:
        group = Group(members)
        positions, stale, known = session.append(group.parameters(self._clock.now()))
        if positions:
            self._hint(
                [head for head, count in zip(group.heads, group.counts, strict=True) if count]
            )
            return {
                member: Receipt(
                    bucket=member.bucket,
                    position=group.position(ordinal, positions),
                    ids=member.append.ids,
                    replayed=False,
                )
                for ordinal, member in enumerate(members)
            }
        settled: dict[Packed, Outcome] = {}
        for ordinal in known:
            settled[members[ordinal - 1]] = _replay(session, members[ordinal - 1])
        for ordinal in stale:
            member = members[ordinal - 1]
            if member not in settled:
                own = _own_receipt(session, member) if followed_up else None
                settled[member] = own or _conflict(session, member)
        return settled


def _replay(session: Session, member: Packed) -> Outcome:
    keyed = member.append.keyed
    assert keyed is not None
    kept = reading.select_receipt(session.connection, keyed.project, keyed.key)
    if kept is None:
        return Unavailable(_THE_LOG)
    receipt, input_hash = kept
    return receipt if input_hash == keyed.input_hash else KeyReused(keyed.key)


def _own_receipt(session: Session, member: Packed) -> Receipt | None:
    """The receipt of an append that is in the log already, word for word."""
    position = reading.position_of_same(session.connection, member.append)
    if position is None:
        return None
    return Receipt(bucket=member.bucket, position=position, ids=member.append.ids, replayed=False)


def _conflict(session: Session, member: Packed) -> VersionConflict:
    for stream, expected in member.expected.items():
        if reading.select_version(session.connection, stream) != expected:
            return VersionConflict(stream, expected)
    stream, expected = next(iter(member.expected.items()))
    return VersionConflict(stream, expected)


def _refusal(member: Packed, error: psycopg.Error) -> Exception:
    """What the server's refusal of one append means; nothing of it was written."""
    match error:
        case errors.UniqueViolation() if member.expected:
            stream, expected = next(iter(member.expected.items()))
            return _because(VersionConflict(stream, expected), error)
        case errors.CheckViolation():
            return _because(Unbalanced(str(error)), error)
        case errors.DataError():
            return _because(InvalidInput("append", str(error)), error)
        case psycopg.OperationalError() | errors.ReadOnlySqlTransaction():
            return _because(Unavailable(_THE_LOG), error)
    return error


def _because(refusal: FolioError, error: psycopg.Error) -> FolioError:
    refusal.__cause__ = error
    return refusal
