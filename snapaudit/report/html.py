"""HTML: an audit as one page without network and script, for a browser, a printer or the boss."""

from __future__ import annotations

from collections import Counter
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from snapaudit.model.finding import Audit
from snapaudit.model.policy import Severity
from snapaudit.report import headline, phrases
from snapaudit.report.escape import html_value
from snapaudit.report.machines import machines_with_findings
from snapaudit.report.rows import subject_name
from snapaudit.report.view import view

_TEMPLATES = Path(__file__).parent / "templates"


def render(audit: Audit) -> bytes:
    """The page in UTF-8. All foreign text in it is made harmless, then escaped."""
    seen_view = view(audit)
    page = (
        _engine()
        .get_template("audit.html")
        .render(
            view=seen_view,
            audit=audit,
            check=seen_view.check,
            severities=tuple(reversed(Severity)),
            machines=machines_with_findings(seen_view),
            purposes=sorted(Counter(one.purpose for one in audit.purposes).items()),
        )
    )
    return page.encode()


@cache
def _engine() -> Environment:
    engine = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=html_value,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    engine.globals["headline"] = headline
    engine.filters |= {
        "age": phrases.age,
        "byte_range": phrases.byte_range,
        "bytes": phrases.size,
        "evidences": phrases.evidences,
        "moment": phrases.moment,
        "share": phrases.share,
        "subject_name": subject_name,
        "words": phrases.words,
    }
    return engine
