"""The documents that go in and out, as they stand in the published description of the API."""

from __future__ import annotations
