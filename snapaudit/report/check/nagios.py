"""Nagios: a plugin's output, for Nagios, Icinga, Naemon and whatever else reads it.

One line of status and numbers, then the long text. Nagios reads 8 KiB of a plugin and no more, so
what does not fit is counted instead of cut.
"""

from __future__ import annotations

from collections.abc import Sequence

from snapaudit.model.check import Checked
from snapaudit.report.check.lines import beside, message, names_unseen, summary, worst_first
from snapaudit.report.check.perfdata import MOST_DATASTORES, datastores, totals
from snapaudit.report.escape import piped, shorten
from snapaudit.report.headline import label

MOST_BYTES = 8000
_WIDEST_HEAD, _WIDEST_LINE = 600, 300


def render(checked: Checked) -> bytes:
    """``SNAPAUDIT WARNING - 3 warnings; ... | 'warning'=3;0 ...`` and the long text below."""
    check = checked.check
    words = "; ".join(part for part in (summary(check), names_unseen(check)) if part)
    numbers = " ".join(one.text for one in (*totals(checked), *datastores(checked)))
    head = f"SNAPAUDIT {label(check.status)} - {shorten(piped(words), _WIDEST_HEAD)} | {numbers}\n"
    lines = [piped(line) for line in beside(checked)]
    lines += [_left_out(checked)] if not datastores(checked) else []
    lines += [
        piped(f"{one.severity}{' (exempt)' if one.exemption else ''}: {message(one)}")
        for one in worst_first(check.findings)
    ]
    return (
        head + _fitting([line for line in lines if line], MOST_BYTES - len(head.encode()))
    ).encode()


def _left_out(checked: Checked) -> str:
    count = sum(len(one.datastores) for one in checked.audit.inventories)
    if count <= MOST_DATASTORES:
        return ""
    return f"numbers of {count} datastores are left out; choose some with --datastore NAME"


def _fitting(lines: Sequence[str], room: int) -> str:
    """As many lines as fit; of the others the last line tells the number."""
    kept: list[str] = []
    left = room - len("and 1,000,000 more lines\n")
    for line in lines:
        text = f"{shorten(line, _WIDEST_LINE)}\n"
        left -= len(text.encode())
        if left < 0:
            return "".join(kept) + f"and {len(lines) - len(kept):,} more lines\n"
        kept.append(text)
    return "".join(kept)
