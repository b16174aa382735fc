"""Double entry, from events: the chart of accounts, entries and the rules that post them."""

from __future__ import annotations
