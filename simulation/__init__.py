"""The outside world, made by hand: strangers that speak their own protocols to Folio."""

from __future__ import annotations
