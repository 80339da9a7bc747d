"""GitLab: a Code Quality report, a list of issues with a fingerprint each.

What an exemption accepts is left out: GitLab has no word for it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Any

from snapaudit.model.check import Checked
from snapaudit.model.inventory import CoverageState
from snapaudit.model.policy import Severity
from snapaudit.report.check.lines import message, worst_first
from snapaudit.report.check.listing import FILE, listing
from snapaudit.report.escape import plain
from snapaudit.report.headline import blind_line, cautions, not_seen

_SEVERITIES = {Severity.CRITICAL: "critical", Severity.WARNING: "major", Severity.INFO: "info"}


def render(checked: Checked) -> bytes:
    """One issue for each finding, before them one for each thing that was not seen."""
    issues = [*_view(checked), *_findings(checked)]
    return (json.dumps(issues, indent=1, ensure_ascii=False) + "\n").encode()


def _view(checked: Checked) -> Iterator[dict[str, Any]]:
    check = checked.check
    blind = [one for one in check.coverage if one.state is not CoverageState.COMPLETE]
    spots = [(one.endpoint, blind_line(one)) for one in blind]
    spots += [(spot, spot) for spot in (() if blind else not_seen(check.coverage))]
    spots += [(spot, spot) for spot in check.unseen]
    for what, line in spots:
        yield _issue("not-seen", f"not seen: {line}", _print(what), "blocker", 1)
    for one in cautions(checked.check.coverage):
        yield _issue("caution", one.line, _print(one.line), "info", 1)


def _findings(checked: Checked) -> Iterator[dict[str, Any]]:
    lines = listing(checked.audit)
    for one in worst_first(checked.check.findings):
        if one.exemption is None:
            severity, line = _SEVERITIES[one.severity], lines.line_of(one.subject)
            yield _issue(one.rule, message(one), one.fingerprint, severity, line)


def _issue(name: str, text: str, fingerprint: str, severity: str, line: int) -> dict[str, Any]:
    return {
        "description": plain(text),
        "check_name": name,
        "fingerprint": fingerprint,
        "severity": severity,
        "location": {"path": FILE, "lines": {"begin": line}},
    }


def _print(text: str) -> str:
    """Of what was not seen: without its reason, which differs from run to run."""
    return hashlib.sha256(f"view\x1f{text}".encode("utf-8", "surrogatepass")).hexdigest()[:32]
