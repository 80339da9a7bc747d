"""Text: a check in a few lines, for a person or a mail."""

from __future__ import annotations

from snapaudit.model.check import Check, Checked
from snapaudit.model.finding import Finding
from snapaudit.report.check.lines import beside, change, place, summary, worst_first
from snapaudit.report.escape import plain
from snapaudit.report.headline import label
from snapaudit.report.phrases import evidences


def render(checked: Checked) -> bytes:
    """The verdict, what was not seen, then one line for each finding, the worst first."""
    check = checked.check
    lines = [f"{label(check.status)}: {summary(check)}", *beside(checked)]
    lines += [_finding(check, one) for one in worst_first(check.findings)]
    return "".join(f"{plain(line)}\n" for line in lines).encode()


def _finding(check: Check, one: Finding) -> str:
    news = change(check, one)
    mark = f" ({news})" if news else ""
    accepted = f" (exempt: {one.exemption})" if one.exemption else ""
    words = f"{place(one)}: {one.rule}: {evidences(one.evidence)}"
    return f"{one.severity}: {words}{mark}{accepted}"
