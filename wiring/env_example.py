"""The text of `.env.example`: every setting, its meaning and what it is when nobody sets it."""

from __future__ import annotations

import textwrap
from typing import Final

from wiring.settings import Settings, environment_name

_HEADING: Final = """\
# Settings of Folio. Written by `folio env-example > .env.example`; do not edit by hand.
# Nothing has to be set for `make run`. Copy to `.env` to change something.
"""


def env_example() -> str:
    """The whole file, ending in a newline."""
    blocks = [_HEADING]
    for name, field in Settings.model_fields.items():
        meaning = textwrap.wrap(field.description or "", width=96)
        default = "" if field.default is None else _written(field.default)
        comment = "".join(f"# {line}\n" for line in meaning)
        blocks.append(f"{comment}# {environment_name(name)}={default}\n")
    return "\n".join(blocks)


def _written(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
