"""Pure calculations that deciders and projections share."""

from __future__ import annotations
