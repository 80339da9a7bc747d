"""``snapaudit audit``: collect, judge, report."""

from __future__ import annotations

from typing import Annotated

from typer import Option

from snapaudit.cli.exits import Exit, view_exit
from snapaudit.cli.options import Common, terminal_width, use_colour, with_common
from snapaudit.cli.reading import add_to_history, judge, noted
from snapaudit.cli.writing import targets, write
from snapaudit.model.check import verdict
from snapaudit.model.policy import Severity
from snapaudit.report.formats import AUDIT_FORMATS, render_audit


@with_common
def command(
    common: Common,
    fail_on: Annotated[
        Severity | None,
        Option(help="Exit as check does: 1 warning, 2 critical, 3 unknown.", metavar="LEVEL"),
    ] = None,
    no_record: Annotated[
        bool, Option("--no-record", help="Leave no trace of this run in the state folder.")
    ] = False,
) -> int:
    """Read the endpoints, judge what they hold by the rules, report.

    Formats (-f): table, json, csv, markdown, html, xlsx.

    Example: snapaudit audit
    Example: snapaudit audit --demo -f table -o html=demo.html
    Example: snapaudit audit -o html=reports/today.html -o json=reports/today.json
    """
    where = targets(common.format, common.output or (), AUDIT_FORMATS, "table")
    judged = judge(common)
    audit = judged.audit
    width, colour = terminal_width(), use_colour(common)
    # First what was asked for: a state folder that cannot be written to keeps nobody from it.
    write(where, lambda name: render_audit(audit, name, width=width, colour=colour))
    is_recorded = True
    if not no_record:
        is_recorded = add_to_history(common, judged) and noted(common, judged)
    if fail_on:
        return verdict(audit, fail_on=fail_on).exit_code
    return view_exit(audit) or (Exit.DONE if is_recorded else Exit.FAILED)
