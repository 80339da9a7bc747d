"""Words by which people say on the platform itself that something must stay.

They stand beside ``snapaudit:hold``, which every platform knows (`enforce/inband.py`).
"""

from __future__ import annotations

import re

_KEEP = re.compile(
    r"[#\[(<{]\s*keep\b|^\s*keep\s*$|\bdo[\s_-]*not[\s_-]*(?:delete|remove|merge|touch)\b",
    re.IGNORECASE | re.MULTILINE,
)


def mark(text: str) -> str | None:
    """The first mark in a name or note, as it was written."""
    found = _KEEP.search(text)
    return " ".join(found[0].split()) if found else None
