"""The demo's world: a small company, its customers, and half a year of what happened to them."""

from __future__ import annotations
