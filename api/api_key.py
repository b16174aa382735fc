"""What an API key looks like: who it is, its secret, and a checksum against slips of the hand.

`folio_<id>_<secret>_<check>`: 12, 32 and 6 characters of base 62. The id is public and names the
key in lists and logs; the secret has 190 bits; the checksum lets a mistyped key be refused without
a question to the database, and lets scanners know a leaked one when they see it.
"""

from __future__ import annotations

import hmac
import re
import secrets
import string
import zlib
from dataclasses import dataclass, field
from typing import Final

from api.errors import MalformedKey

PREFIX: Final = "folio_"
KEY_ID: Final = slice(6, 18)
LENGTH: Final = 58
_ALPHABET: Final = string.digits + string.ascii_uppercase + string.ascii_lowercase
_SHAPE: Final = re.compile(r"(folio_[0-9A-Za-z]{12}_[0-9A-Za-z]{32})_([0-9A-Za-z]{6})", re.ASCII)


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key as its holder sees it; `token` is shown once and never kept."""

    key_id: str
    token: str = field(repr=False)


def mint() -> ApiKey:
    """A fresh key."""
    key_id = _random(12)
    body = f"{PREFIX}{key_id}_{_random(32)}"
    return ApiKey(key_id, f"{body}_{_checksum(body)}")


def key_id_of(token: str) -> str:
    """The public id of a well-formed key; MalformedKey when its checksum does not fit."""
    shaped = _SHAPE.fullmatch(token)
    if shaped is None or _checksum(shaped[1]) != shaped[2]:
        raise MalformedKey("this is no API key of ours: it is mistyped or cut short")
    return token[KEY_ID]


def keyed_hash(pepper: bytes, token: bytes) -> bytes:
    """What is kept of a key: worthless to whoever reads it without the pepper."""
    return hmac.digest(pepper, token, "sha256")


def _random(length: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))


def _checksum(body: str) -> str:
    number = zlib.crc32(body.encode())
    digits = []
    for _ in range(6):
        number, digit = divmod(number, 62)
        digits.append(_ALPHABET[digit])
    return "".join(reversed(digits))
