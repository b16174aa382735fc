"""What the demo remembers from start to start, beside its data."""

from __future__ import annotations

from pathlib import Path
from typing import Final, Self

from pydantic import BaseModel

_NAME: Final = "demo.json"


class Diary(BaseModel):
    """When the story began, whether it was told to its end, and the secrets it needs again.

    `webhook_secret` signs the simulated Stripe's messages, `api_key` is the demo app's key.
    """

    began: int  # unix seconds
    loaded: bool = False
    webhook_endpoint: str | None = None
    webhook_secret: str | None = None
    api_key: str | None = None

    @classmethod
    def open(cls, data_dir: Path, began: int) -> Self:
        """The diary of a data directory; a new one, of a story that begins at `began`."""
        path = _path(data_dir)
        return cls.model_validate_json(path.read_bytes()) if path.exists() else cls(began=began)

    @classmethod
    def exists(cls, data_dir: Path) -> bool:
        """Whether a demo was ever begun in a data directory."""
        return _path(data_dir).exists()

    @classmethod
    def forget(cls, data_dir: Path) -> None:
        _path(data_dir).unlink(missing_ok=True)

    def keep(self, data_dir: Path) -> None:
        """Write it down, whole or not at all, readable for its owner alone."""
        path = _path(data_dir)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = path.with_suffix(".draft")
        draft.touch(mode=0o600)
        draft.write_text(self.model_dump_json(indent=2))
        draft.replace(path)


def _path(data_dir: Path) -> Path:
    return data_dir / "secrets" / _NAME
