"""The event log: the only place that appends, and the only one that knows `eventsourcing`."""

from __future__ import annotations
