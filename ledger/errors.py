"""Every way Folio says no, as one tree with fields and no word of HTTP.

FolioError
├── InvalidInput            the caller's value can never be right
│   └── InvalidMoney
├── NotFound                no such thing in this project
├── Refused                 a rule of the domain says no
│   ├── AlreadyExists
│   └── Ended               the thing is over and stays over
├── Conflict                somebody else was first
│   ├── VersionConflict     a stream moved on under a writer
│   └── KeyReused           an idempotency key came back with another input
├── NotReady                a read model has not reached the asked position
├── Unauthenticated         no key, or not a live one
├── Forbidden               a live key without this right
├── MissingParent           a fact refers to something not yet heard of
├── Unavailable             a server we need does not answer
│   └── OutcomeUnknown      a write was sent and its fate is not known
└── Corrupt                 stored history cannot be read as written
"""

from __future__ import annotations

from uuid import UUID


class FolioError(Exception):
    """Anything Folio refuses or fails to do; `code` is stable and machine-readable."""

    code = "error"


class InvalidInput(FolioError):
    """A value that can never be right; `field` names it in the caller's words."""

    code = "invalid_input"

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field
        self.reason = reason


class InvalidMoney(InvalidInput):
    """An amount or currency that is no money."""

    code = "invalid_money"


class NotFound(FolioError):
    """No such thing in this project; another project's thing answers the same."""

    code = "not_found"

    def __init__(self, kind: str, reference: str) -> None:
        super().__init__(f"no {kind} {reference}")
        self.kind = kind
        self.reference = reference


class Refused(FolioError):
    """A rule of the domain says no."""

    code = "refused"

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class AlreadyExists(Refused):
    """The thing to be made is there already."""

    code = "already_exists"

    def __init__(self, kind: str, reference: str) -> None:
        super().__init__(f"{kind} {reference} exists already")
        self.kind = kind
        self.reference = reference


class Ended(Refused):
    """The thing is over (revoked, expired, closed) and stays over."""

    code = "ended"

    def __init__(self, kind: str, reference: str) -> None:
        super().__init__(f"{kind} {reference} has ended")
        self.kind = kind
        self.reference = reference


class Conflict(FolioError):
    """Somebody else was first."""

    code = "conflict"


class VersionConflict(Conflict):
    """A stream moved on between a writer's load and its append."""

    code = "version_conflict"

    def __init__(self, stream: UUID, expected: int) -> None:
        super().__init__(f"stream {stream} is no longer at version {expected}")
        self.stream = stream
        self.expected = expected


class KeyReused(Conflict):
    """An idempotency key came back with another input."""

    code = "idempotency_key_reused"

    def __init__(self, key: str) -> None:
        super().__init__(f"idempotency key {key!r} was used for another input")
        self.key = key


class NotReady(FolioError):
    """A read model has not reached the asked position in time; ask again."""

    code = "not_ready"

    def __init__(self, wanted: int, reached: int) -> None:
        super().__init__(f"position {wanted} was asked for, {reached} is reached")
        self.wanted = wanted
        self.reached = reached


class Unauthenticated(FolioError):
    """No key, or not a live one."""

    code = "unauthenticated"

    def __init__(self, reason: str = "a live API key is needed") -> None:
        super().__init__(reason)
        self.reason = reason


class Forbidden(FolioError):
    """A live key without the right this call needs."""

    code = "forbidden"

    def __init__(self, needed: str) -> None:
        super().__init__(f"this key has no right to {needed}")
        self.needed = needed


class MissingParent(FolioError):
    """A fact refers to something not yet heard of; `dependency` names what would release it."""

    code = "missing_parent"

    def __init__(self, dependency: str) -> None:
        super().__init__(f"waiting for {dependency}")
        self.dependency = dependency


class Unavailable(FolioError):
    """A server we need does not answer; `retry_after` is in seconds."""

    code = "unavailable"

    def __init__(self, what: str, retry_after: int = 1) -> None:
        super().__init__(f"{what} does not answer")
        self.what = what
        self.retry_after = retry_after


class OutcomeUnknown(Unavailable):
    """A write was sent and its fate is not known: look its key up before trying again."""

    code = "outcome_unknown"


class Corrupt(FolioError):
    """Stored history cannot be read as it was written."""

    code = "corrupt"

    def __init__(self, where: str, reason: str) -> None:
        super().__init__(f"{where}: {reason}")
        self.where = where
        self.reason = reason
