"""What happens next: what follows the log, what lost messages left behind, what falls due."""

from __future__ import annotations
