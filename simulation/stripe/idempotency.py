"""Idempotency keys: the same key and the same request give the first answer again."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass
from typing import Final

from simulation.stripe.cycles import DAY
from simulation.stripe.errors import StripeError
from simulation.stripe.store import Obj

KEPT_FOR: Final = DAY


@dataclass
class Answer:
    """What was asked under a key, and what was answered; no status while it is still running."""

    fingerprint: str
    asked_at: int
    status: int | None = None
    body: str = ""
    request_id: str = ""


class IdempotencyKeys:
    """Every key of the last 24 hours."""

    def __init__(self) -> None:
        self._answers: dict[str, Answer] = {}

    def begin(self, key: str, fingerprint: str, now: int) -> Answer | None:
        """Claim a key, or return the answer it already has.

        Raises a 400 when the key was used for another request, a 409 while the first is running.
        """
        self._forget(now)
        known = self._answers.get(key)
        if known is None:
            self._answers[key] = Answer(fingerprint, now)
            return None
        if known.fingerprint != fingerprint:
            raise StripeError(
                400,
                "idempotency_error",
                "Keys for idempotent requests can only be used with the same parameters they were "
                f"first used with. Try using a key other than '{key}' if you meant to execute a "
                "different request.",
            )
        if known.status is None:
            raise StripeError(
                409,
                "idempotency_error",
                "There is currently another in-progress request using this Idempotent Key "
                f"({key}). Please try again later.",
                code="idempotency_key_in_use",
            )
        return known

    def finish(self, key: str, status: int, body: str, request_id: str) -> None:
        answer = self._answers[key]
        answer.status, answer.body, answer.request_id = status, body, request_id

    def release(self, key: str) -> None:
        """Give a key back unused: its request was refused before anything began."""
        self._answers.pop(key, None)

    def _forget(self, now: int) -> None:
        # Keys are kept in the order they were asked, so the old ones come first.
        for key, answer in list(self._answers.items()):
            if now - answer.asked_at < KEPT_FOR:
                return
            del self._answers[key]

    def dump(self) -> Obj:
        return {key: asdict(answer) for key, answer in self._answers.items() if answer.status}

    @classmethod
    def load(cls, dumped: Obj) -> IdempotencyKeys:
        keys = cls()
        keys._answers = {key: Answer(**answer) for key, answer in dumped.items()}
        return keys


def fingerprint(method: str, path: str, body: str) -> str:
    """What makes two requests the same."""
    return hashlib.sha256(f"{method} {path}\n{body}".encode()).hexdigest()
