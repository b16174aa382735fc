"""Stripe, at its pinned version: signed messages in, facts out, and the calls we make."""

from __future__ import annotations

from typing import Final

PROVIDER: Final = "stripe"
API_VERSION: Final = "2026-10-28.endive"
