"""TAP: the Test Anything Protocol, for prove and build systems.

A test point for each endpoint (seen whole), each budget, each rule without a finding, and each
finding. What has no say in the verdict is ``TODO``; a rule that could not be judged is ``SKIP``.
"""

from __future__ import annotations

from collections.abc import Iterator

from snapaudit.model.check import Checked, Status
from snapaudit.model.finding import Finding
from snapaudit.report.check.lines import beside, budget, message, summary, unseen, worst_first
from snapaudit.report.check.standing import quiet_rules
from snapaudit.report.escape import plain, tap_text
from snapaudit.report.headline import label


def render(checked: Checked) -> bytes:
    """The protocol with its plan in front, and the summary as comments behind."""
    points = list(_points(checked))
    lines = ["TAP version 13", f"1..{len(points)}"]
    lines += [f"{word} {number} - {text}" for number, (word, text) in enumerate(points, 1)]
    said = (f"{label(checked.check.status)}: {summary(checked.check)}", *beside(checked))
    lines += [f"# {plain(line)}" for line in said]
    return "".join(f"{line}\n" for line in lines).encode()


def _points(checked: Checked) -> Iterator[tuple[str, str]]:
    yield from _view(checked)
    for one in checked.check.budgets:
        yield ("ok" if one.status is Status.OK else "not ok"), tap_text(budget(one))
    for rule, unsure in quiet_rules(checked):
        reason = f" # SKIP {tap_text(unsure)}" if unsure else ""
        yield "ok", f"{tap_text(rule)}{reason}"
    yield from (_finding(checked, one) for one in worst_first(checked.check.findings))


def _view(checked: Checked) -> Iterator[tuple[str, str]]:
    spots = unseen(checked.check)
    yield from (("not ok", tap_text(f"seen whole: {spot}")) for spot in spots)
    if not spots:
        yield "ok", f"all {len(checked.check.coverage)} endpoints seen whole"


def _finding(checked: Checked, one: Finding) -> tuple[str, str]:
    text = tap_text(f"{one.severity}: {message(one)}")
    if one.exemption is not None:
        return "not ok", f"{text} # TODO exempt: {tap_text(one.exemption)}"
    if one.fingerprint not in checked.counting:
        return "not ok", f"{text} # TODO it has no say in this check"
    return "not ok", text
