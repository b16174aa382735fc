"""The schema's history: numbered files of hand-written SQL, applied once each, never edited."""

from __future__ import annotations

from typing import Final

APPLICATION_ROLE: Final = "folio_app"
"""The role the product logs in as, where it is not the owner of the schema."""
