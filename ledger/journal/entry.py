"""A journal entry: postings that sum to zero in each currency."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from uuid import UUID

from ledger.errors import FolioError
from ledger.journal.chart import Account


class Unbalanced(FolioError):
    """Debits and credits of an entry do not meet; a fault of ours, never the caller's."""

    code = "unbalanced"


@dataclass(frozen=True, slots=True)
class Posting:
    """One line of an entry; a debit is positive, a credit negative, in minor units."""

    account: Account
    amount: int
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A balanced group of postings, caused by one event (its stream and version)."""

    stream: UUID
    version: int
    kind: str
    postings: tuple[Posting, ...]

    def __post_init__(self) -> None:
        if not self.postings:
            raise Unbalanced(f"{self.kind}: an entry needs postings")
        sums: defaultdict[str, int] = defaultdict(int)
        for posting in self.postings:
            if posting.amount == 0:
                raise Unbalanced(f"{self.kind}: a posting of nothing to {posting.account}")
            sums[posting.currency] += posting.amount
        for currency, total in sums.items():
            if total:
                raise Unbalanced(f"{self.kind}: {currency} is off by {total}")
