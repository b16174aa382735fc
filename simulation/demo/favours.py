"""What the demo decides by hand: grants, an override, a block and a denial, with reasons."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Favour:
    """A manual decision about a customer's feature; it lasts `days` from the story's end."""

    user: str
    feature: str
    effect: str
    reason: str
    value: bool | int | str | None = None
    days: int | None = None
    revoked_because: str = ""

    @property
    def key(self) -> str:
        """The idempotency key it is decided under."""
        return f"demo-{self.user}-{self.feature}-{self.effect}"


FAVOURS: Final = (
    Favour("ada", "sso", "grant", "Tries single sign-on for us.", value=True, days=60),
    Favour("tove", "export", "grant", "Moves her notes to a new machine.", value=True, days=60),
    Favour("chidi", "notebooks", "override", "Agreed limit of the pilot.", value=500),
    Favour("liam", "export", "block", "Chargeback under review."),
    Favour("zeno", "notebooks", "deny", "Spam; see the abuse report."),
    Favour("oona", "notebooks", "grant", "Reads her old notes after leaving.", value=5, days=90),
    Favour(
        "bram",
        "export",
        "grant",
        "Export for a school project.",
        value=True,
        days=45,
        revoked_because="The project is over.",
    ),
)
