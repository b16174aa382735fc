"""What is true: events, deciders, rules, the journal and the store that keeps them."""

from __future__ import annotations
