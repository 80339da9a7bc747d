"""Text: a check in a few lines, for a person or a mail."""

from __future__ import annotations

from snapaudit.model.check import Budget, Check
from snapaudit.model.finding import Finding
from snapaudit.report.escape import plain
from snapaudit.report.headline import cautions, label, not_seen, sentence
from snapaudit.report.phrases import evidences
from snapaudit.report.rows import subject_name


def render(check: Check) -> bytes:
    """The verdict, what was not seen, then one line for each finding, the worst first."""
    lines = [f"{label(check.status)}: {sentence(check)}"]
    lines += [f"not seen: {spot}" for spot in not_seen(check.coverage)]
    lines += [one.line for one in cautions(check.coverage)]
    lines += [_budget(one) for one in check.budgets]
    worst_first = sorted(check.findings, key=lambda one: -one.severity.rank)
    lines += [_finding(one) for one in worst_first]
    return "".join(f"{plain(line)}\n" for line in lines).encode()


def _budget(one: Budget) -> str:
    value = "unknown" if one.value is None else f"{one.value:,}"
    return f"budget {one.name}: {value} of at most {one.limit:,}: {one.status}"


def _finding(one: Finding) -> str:
    subject = f"{one.subject.endpoint}: {subject_name(one.subject)}"
    accepted = f" (exempt: {one.exemption})" if one.exemption else ""
    return f"{one.severity}: {subject}: {one.rule}: {evidences(one.evidence)}{accepted}"
