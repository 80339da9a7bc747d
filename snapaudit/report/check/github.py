"""GitHub: workflow commands that become annotations of a run.

A step shows ten errors, ten warnings and ten notices, a run fifty in all; what does not fit is told
by the last of each.
"""

from __future__ import annotations

from collections.abc import Iterator

from snapaudit.model.check import Checked, Status
from snapaudit.model.finding import Finding
from snapaudit.model.policy import Severity
from snapaudit.report.check.lines import beside, message, summary, unseen, worst_first
from snapaudit.report.escape import github_message, github_property, plain, shorten
from snapaudit.report.headline import label

MOST_OF_A_KIND = 10
_KINDS = {Severity.CRITICAL: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}
_VERDICTS = {Status.OK: "notice", Status.WARNING: "warning"}
_WIDEST = 500


def render(checked: Checked) -> bytes:
    """The verdict in plain words for the log, then the annotations, the worst first."""
    first = f"snapaudit {label(checked.check.status)}: {plain(summary(checked.check))}"
    commands = {kind: list(_of(checked, kind)) for kind in ("error", "warning", "notice")}
    lines = [line for kind, found in commands.items() for line in _kept(kind, found)]
    return "".join(f"{line}\n" for line in (first, *lines)).encode()


def _of(checked: Checked, kind: str) -> Iterator[tuple[str, str]]:
    """Title and message of each annotation of a kind; the verdict leads its own."""
    check = checked.check
    if _VERDICTS.get(check.status, "error") == kind:
        body = "\n".join((summary(check), *beside(checked)))
        yield f"snapaudit {label(check.status)}", body
    elif kind == "error" and unseen(check):
        yield "snapaudit UNKNOWN", "\n".join(unseen(check))
    for one in worst_first(check.findings):
        if one.exemption is None and _KINDS[one.severity] == kind:
            yield _title(one), message(one)


def _title(one: Finding) -> str:
    return f"{one.rule} ({one.severity})"


def _kept(kind: str, found: list[tuple[str, str]]) -> Iterator[str]:
    if len(found) > MOST_OF_A_KIND:
        left = len(found) - MOST_OF_A_KIND + 1
        found = found[: MOST_OF_A_KIND - 1]
        found.append(("snapaudit", f"and {left:,} more; the report has all of them"))
    for title, text in found:
        body = "\n".join(shorten(line, _WIDEST) for line in text.split("\n"))
        yield f"::{kind} title={github_property(title)}::{github_message(body)}"
