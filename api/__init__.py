"""Who asks: the HTTP faces of the product, one file per reader."""

from __future__ import annotations
