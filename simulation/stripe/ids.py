"""Identifiers as Stripe writes them, drawn from a seed."""

from __future__ import annotations

import hashlib
from typing import Final

_ALPHABET: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_SHORT: Final = frozenset({"cus", "prod", "si", "req"})


class IdSource:
    """A generator of ids: the same seed and the same order of births give the same ids.

    Each prefix counts for itself, so that one more event does not rename the next customer.
    """

    def __init__(self, seed: int, counters: dict[str, int] | None = None) -> None:
        self.seed = seed
        self.counters = counters if counters is not None else {}

    def new(self, prefix: str) -> str:
        if prefix in _SHORT:
            return f"{prefix}_{self.secret(prefix, 14)}"
        return f"{prefix}_1{self.secret(prefix, 23)}"

    def secret(self, purpose: str, length: int) -> str:
        """The next opaque text of a purpose."""
        count = self.counters[purpose] = self.counters.get(purpose, 0) + 1
        name = f"{self.seed}:{purpose}:{count}".encode()
        number = int.from_bytes(hashlib.blake2b(name, digest_size=32).digest(), "big")
        text = ""
        for _ in range(length):
            number, digit = divmod(number, len(_ALPHABET))
            text += _ALPHABET[digit]
        return text
