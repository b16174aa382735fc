"""The webhook inbox: every message a provider sent us, once, and how far we have come with it.

A message is durable before the provider hears 2xx; interpreting it comes after and may be tried
again. Each function is one statement of its own and needs no transaction around it.
"""

from __future__ import annotations

from providers.inbox.listing import Counts, counts, get, list_rows
from providers.inbox.message import Delivery, InboxRow, Kept, Source, Status
from providers.inbox.progress import (
    SWEEPER_LEASE,
    Folded,
    due,
    mark_all_folded,
    mark_failed,
    mark_folded,
    mark_ignored,
    mark_parked,
    release,
    requeue,
)
from providers.inbox.receiving import RECEIVER_LEASE, Received, receive, receive_many

__all__ = [
    "RECEIVER_LEASE",
    "SWEEPER_LEASE",
    "Counts",
    "Delivery",
    "Folded",
    "InboxRow",
    "Kept",
    "Received",
    "Source",
    "Status",
    "counts",
    "due",
    "get",
    "list_rows",
    "mark_all_folded",
    "mark_failed",
    "mark_folded",
    "mark_ignored",
    "mark_parked",
    "receive",
    "receive_many",
    "release",
    "requeue",
]
