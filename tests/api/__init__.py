"""Tests of the HTTP faces, over real HTTP."""

from __future__ import annotations
