"""The outside: what providers tell us, brought to our own facts, and what we ask of them."""

from __future__ import annotations
