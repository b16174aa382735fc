"""What the terminal says once the demo runs: where it is, a key, and three lines to paste."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

_PAUSED_ON: Final = timedelta(days=95)  # in the middle of Hana's pause, which the story tells


def welcome(api: str, api_key: str, began: datetime, data_dir: str) -> str:
    """The whole text, ready to print."""
    curl = f'curl -s -H "Authorization: Bearer {api_key}"'
    entitlements = f"{api}/api/v1/entitlements"
    while_paused = (began + _PAUSED_ON).strftime("%Y-%m-%dT%H:%M:%SZ")
    return f"""
  Folio runs.

    API             {api}/api/v1
    Documentation   {api}/docs
    Key             {api_key}

  The key may read and write in the demo project. Folio keeps only its hash and shows a key once;
  this one is also kept in {data_dir}/secrets, to be shown again here.

  May Ada export her notes?

    {curl} "{entitlements}/check?customer=ada&feature=export"

  All that Chidi's team may use, and why:

    {curl} "{entitlements}?customer=chidi"

  Might Hana export while her subscription was paused?

    {curl} "{entitlements}/check?customer=hana&feature=export&as_of={while_paused}"

  Ctrl-C stops everything; the data stay in {data_dir} for the next start.
"""
