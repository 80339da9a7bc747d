"""Formats: the names a user may ask for, and one call for each kind of document.

Those of a check are in `check/formats.py`.

A renderer's module is imported when its format is asked for, so that no run pays for the others.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import TypeVar

from snapaudit.errors import UsageError
from snapaudit.model.finding import Audit
from snapaudit.model.outcome import RunReport
from snapaudit.model.plan import Plan
from snapaudit.model.weekly import WeeklyReport

_Renderer = TypeVar("_Renderer")


def _table(audit: Audit, width: int, colour: bool) -> bytes:
    from snapaudit.report.console import render

    return render(audit, width=width, colour=colour)


def _json(audit: Audit, _width: int, _colour: bool) -> bytes:
    from snapaudit.report.json import render

    return render(audit)


def _csv(audit: Audit, _width: int, _colour: bool) -> bytes:
    from snapaudit.report.csv import render

    return render(audit)


def _markdown(audit: Audit, _width: int, _colour: bool) -> bytes:
    from snapaudit.report.markdown import render

    return render(audit)


def _html(audit: Audit, _width: int, _colour: bool) -> bytes:
    from snapaudit.report.html import render

    return render(audit)


def _xlsx(audit: Audit, _width: int, _colour: bool) -> bytes:
    from snapaudit.report.xlsx import render

    return render(audit)


def _plan_table(plan: Plan, file: str, obstacle: str | None, width: int, colour: bool) -> bytes:
    from snapaudit.report.plan import render

    return render(plan, file, obstacle, width=width, colour=colour)


def _plan_json(plan: Plan, _file: str, _obstacle: str | None, _width: int, _colour: bool) -> bytes:
    from snapaudit.report.json import render

    return render(plan)


def _run_table(report: RunReport, width: int, colour: bool) -> bytes:
    from snapaudit.report.run import render

    return render(report, width=width, colour=colour)


def _run_json(report: RunReport, _width: int, _colour: bool) -> bytes:
    from snapaudit.report.json import render

    return render(report)


def _weekly_table(report: WeeklyReport, width: int, colour: bool) -> bytes:
    from snapaudit.report.weekly.console import render

    return render(report, width=width, colour=colour)


def _weekly_json(report: WeeklyReport, _width: int, _colour: bool) -> bytes:
    from snapaudit.report.json import render

    return render(report)


def _weekly_csv(report: WeeklyReport, _width: int, _colour: bool) -> bytes:
    from snapaudit.report.weekly.csv import render

    return render(report)


def _weekly_markdown(report: WeeklyReport, _width: int, _colour: bool) -> bytes:
    from snapaudit.report.weekly.markdown import render

    return render(report)


def _weekly_html(report: WeeklyReport, _width: int, _colour: bool) -> bytes:
    from snapaudit.report.weekly.html import render

    return render(report)


def _weekly_xlsx(report: WeeklyReport, _width: int, _colour: bool) -> bytes:
    from snapaudit.report.weekly.xlsx import render

    return render(report)


AUDIT_FORMATS: Mapping[str, Callable[[Audit, int, bool], bytes]] = {
    "table": _table,
    "json": _json,
    "csv": _csv,
    "markdown": _markdown,
    "html": _html,
    "xlsx": _xlsx,
}
WEEKLY_FORMATS: Mapping[str, Callable[[WeeklyReport, int, bool], bytes]] = {
    "table": _weekly_table,
    "json": _weekly_json,
    "csv": _weekly_csv,
    "markdown": _weekly_markdown,
    "html": _weekly_html,
    "xlsx": _weekly_xlsx,
}
ENFORCE_FORMATS: Mapping[str, Callable[[Plan, str, str | None, int, bool], bytes]] = {
    "table": _plan_table,
    "json": _plan_json,
}
RUN_FORMATS: Mapping[str, Callable[[RunReport, int, bool], bytes]] = {
    "table": _run_table,
    "json": _run_json,
}


def render_audit(audit: Audit, name: str, *, width: int = 100, colour: bool = False) -> bytes:
    """The audit as a document; equal audits give equal bytes. Text is UTF-8.

    ``width`` (columns) and ``colour`` concern the table only. Raises UsageError for a format
    that does not exist.
    """
    return known(AUDIT_FORMATS, name)(audit, width, colour)


def render_plan(
    plan: Plan,
    form: str,
    *,
    file: str | None = None,
    obstacle: str | None = None,
    width: int = 100,
    colour: bool = False,
) -> bytes:
    """The plan as a document: a table for its reviewer, or the plan document itself.

    ``file`` is where the plan is stored, for the lines to type; None: where it is by default.
    ``obstacle``: why nobody can apply it. Raises UsageError for a format that does not exist.
    """
    place = file or f".snapaudit/plans/{plan.id}.json"
    return known(ENFORCE_FORMATS, form)(plan, place, obstacle, width, colour)


def render_weekly(
    report: WeeklyReport, name: str, *, width: int = 100, colour: bool = False
) -> bytes:
    """The weekly report as a document; equal reports give equal bytes. Text is UTF-8.

    Raises UsageError for a format that does not exist.
    """
    return known(WEEKLY_FORMATS, name)(report, width, colour)


def render_run(report: RunReport, form: str, *, width: int = 100, colour: bool = False) -> bytes:
    """What became of a plan, as a document. Raises UsageError for an unknown format."""
    return known(RUN_FORMATS, form)(report, width, colour)


def known(formats: Mapping[str, _Renderer], name: str) -> _Renderer:
    """The renderer of a format. Raises UsageError naming those there are, and the nearest."""
    if name in formats:
        return formats[name]
    near = get_close_matches(name, formats, n=1)
    hint = f" (did you mean {near[0]!r}?)" if near else ""
    raise UsageError(f"no format {name!r}{hint}; there are {', '.join(formats)}")
