"""What goes wrong in the demo and a user can mend."""

from __future__ import annotations


class Trouble(Exception):
    """What is wrong, in the user's words, and the exit code that says so."""

    def __init__(self, what: str, exit_code: int = 1) -> None:
        super().__init__(what)
        self.exit_code = exit_code
