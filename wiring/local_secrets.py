"""Secrets a machine makes for itself once and keeps in its data directory."""

from __future__ import annotations

import os
import secrets
from pathlib import Path


def local_secret(data_dir: Path, name: str) -> str:
    """The secret of that name, made at the first call; a file only its owner can read."""
    path = data_dir / "secrets" / name
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if path.exists():
        return path.read_text()
    # Written whole under another name first: a kill in between never leaves half a secret.
    draft = path.with_name(f"{name}.{os.getpid()}.draft")
    draft.touch(mode=0o600)
    draft.write_text(secrets.token_urlsafe(32))
    draft.replace(path)
    return path.read_text()
