"""A Stripe that speaks HTTP on loopback: deterministic by seed and virtual clock.

The real `stripe` SDK talks to it. Whatever leaves it, and whatever comes in, is held against the
contract of the installed SDK (`schema.py`).
"""

from __future__ import annotations
