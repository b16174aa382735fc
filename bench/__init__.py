"""What Folio costs, as ratios to a raw baseline measured in the same run; `python -m bench`."""

from __future__ import annotations
