"""``snapaudit report``: the weekly report, from the last recorded run and what came before it."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path
from typing import Annotated

from typer import Option

from snapaudit.app.audit import rules_of
from snapaudit.app.gather import settings_of
from snapaudit.app.weekly.asking import Asked, last_run, report_of
from snapaudit.app.weekly.staging import demo
from snapaudit.cli.exits import Exit, coverage_exit
from snapaudit.cli.mailing import Ways, check_ways, go_ways
from snapaudit.cli.options import Common, clock, terminal_width, use_colour, with_common
from snapaudit.cli.reading import judge
from snapaudit.cli.writing import Target, targets, write
from snapaudit.config.settings import Settings
from snapaudit.errors import UsageError
from snapaudit.report.formats import WEEKLY_FORMATS, render_weekly


@with_common
def command(
    common: Common,
    mail: Annotated[bool, Option("--mail", help="Mail it to the team and the owners.")] = False,
    to: Annotated[
        list[str] | None, Option(help="Mail it to this address alone (repeatable).", metavar="ADDR")
    ] = None,
    owner: Annotated[
        str | None, Option(help="Mail only the part of this owner.", metavar="NAME")
    ] = None,
    preview: Annotated[
        Path | None, Option(help="Write the mail to a file, send nothing.", metavar="FILE.eml")
    ] = None,
    again: Annotated[
        bool, Option("--again", help="Mail also those who have this report already.")
    ] = False,
    publish: Annotated[
        bool, Option("--publish", help="Put all formats into the reports folder, with its list.")
    ] = False,
) -> int:
    """Report on the week: what changed, what fills up, who to ask, what to do.

    It is about the run that `snapaudit audit` recorded last; nothing is read from any endpoint.

    Formats (-f): table, html, markdown, csv, xlsx, json.

    Example: snapaudit report --demo -o html=weekly.html
    Example: snapaudit report --publish --mail

    Example: snapaudit report -o html=weekly.html -o xlsx=weekly.xlsx
    """
    ways = Ways(
        mail=mail,
        to=tuple(to or ()),
        owner=owner,
        preview=preview,
        again=again,
        publish=publish,
    )
    settings, now = settings_of(common.request()), clock()
    check_ways(ways, common, settings)
    where = _where(common, ways)
    asked = made(common, settings, now)
    width, colour = terminal_width(), use_colour(common)

    def render(name: str) -> bytes:
        return render_weekly(asked.report, name, width=width, colour=colour)

    write(where, render)
    code = go_ways(asked, ways, settings, common, now, render)
    return code or _view_exit(asked)


def _where(common: Common, ways: Ways) -> tuple[Target, ...]:
    """A report that is published or mailed is shown only where a format or a file is named."""
    if ways.any and not common.format and not common.output:
        return ()
    return targets(common.format, common.output or (), WEEKLY_FORMATS, "table")


def _view_exit(asked: Asked) -> int:
    """An old run is no whole view of today."""
    is_old = asked.told_on is not None
    return Exit.INCOMPLETE if is_old else coverage_exit(asked.report.check.coverage)


def made(common: Common, settings: Settings, now: datetime) -> Asked:
    """The report that the shared options ask for. Raises SnapauditError."""
    if common.demo:
        if common.inventory:
            raise UsageError("--inventory and --demo cannot be combined")
        policy = rules_of(settings, tuple(common.rules or ()))
        return Asked(report=demo(common.judged_at(now), policy))
    if common.inventory:
        judged = judge(common)
        return Asked(report=report_of(judged.audit, judged.at, settings, os.environ))
    _refuse_what_asks_anew(common)
    return last_run(settings, os.environ, now)


def _refuse_what_asks_anew(common: Common) -> None:
    """A run that is recorded cannot be judged again: that is what audit is for."""
    asked = (("--now", common.now), ("--rules", common.rules), ("--endpoint", common.endpoint))
    for option, value in asked:
        if value:
            raise UsageError(
                f"{option} needs --inventory or --demo: without them the report is of the last "
                "recorded run as it was judged"
            )
