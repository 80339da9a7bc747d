"""``snapaudit report``: the weekly report, from the last recorded run and what came before it."""

from __future__ import annotations

import os

from snapaudit.app.audit import rules_of
from snapaudit.app.gather import settings_of
from snapaudit.app.weekly.asking import report_of, report_of_last_run
from snapaudit.app.weekly.staging import demo
from snapaudit.cli.exits import coverage_exit
from snapaudit.cli.options import Common, clock, terminal_width, use_colour, with_common
from snapaudit.cli.reading import judge
from snapaudit.cli.writing import targets, write
from snapaudit.errors import UsageError
from snapaudit.model.weekly import WeeklyReport
from snapaudit.report.formats import WEEKLY_FORMATS, render_weekly


@with_common
def command(common: Common) -> int:
    """Report on the week: what changed, what fills up, who to ask, what to do.

    It is about the run that `snapaudit audit` recorded last; nothing is read from any endpoint.

    Example: snapaudit report -o html=reports/weekly.html -o xlsx=reports/weekly.xlsx
    """
    where = targets(common.format, common.output or (), WEEKLY_FORMATS, "table")
    report = made(common)
    width, colour = terminal_width(), use_colour(common)
    write(where, lambda name: render_weekly(report, name, width=width, colour=colour))
    return coverage_exit(report.check.coverage)


def made(common: Common) -> WeeklyReport:
    """The report that the shared options ask for. Raises SnapauditError."""
    settings = settings_of(common.request())
    if common.demo:
        if common.inventory:
            raise UsageError("--inventory and --demo cannot be combined")
        policy = rules_of(settings, tuple(common.rules or ()))
        return demo(common.judged_at(clock()), policy)
    if common.inventory:
        judged = judge(common)
        return report_of(judged.audit, judged.at, settings, os.environ)
    _refuse_what_asks_anew(common)
    return report_of_last_run(settings, os.environ)


def _refuse_what_asks_anew(common: Common) -> None:
    """A run that is recorded cannot be judged again: that is what audit is for."""
    asked = (("--now", common.now), ("--rules", common.rules), ("--endpoint", common.endpoint))
    for option, value in asked:
        if value:
            raise UsageError(
                f"{option} needs --inventory or --demo: without them the report is of the last "
                "recorded run as it was judged"
            )
