"""Every event Folio has ever recorded, one file per noun."""

from __future__ import annotations
