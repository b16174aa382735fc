"""What we want: commands, and the one place that carries them out."""

from __future__ import annotations
