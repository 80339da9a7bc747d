"""HTML: an audit as one page without network, for a browser, a printer or the boss."""

from __future__ import annotations

from collections import Counter

from snapaudit.model.finding import Audit
from snapaudit.model.policy import Severity
from snapaudit.report import headline
from snapaudit.report.machines import machines_with_findings
from snapaudit.report.pages import page
from snapaudit.report.view import view


def render(audit: Audit) -> bytes:
    """The page in UTF-8. All foreign text in it is made harmless, then escaped."""
    seen_view = view(audit)
    return page(
        "audit.html",
        headline=headline,
        view=seen_view,
        audit=audit,
        check=seen_view.check,
        severities=tuple(reversed(Severity)),
        machines=machines_with_findings(seen_view),
        purposes=sorted(Counter(one.purpose for one in audit.purposes).items()),
    )
