"""What we remember: read models, each folded from the log by one file, each disposable."""

from __future__ import annotations
