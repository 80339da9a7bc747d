"""``snapaudit check``: one verdict, for CI and monitoring."""

from __future__ import annotations

from typing import Annotated

from typer import Option

from snapaudit.cli.options import Common, with_common
from snapaudit.cli.reading import judge
from snapaudit.cli.writing import targets, write
from snapaudit.model.check import verdict
from snapaudit.model.policy import Severity
from snapaudit.report.formats import CHECK_FORMATS, render_check


@with_common
def command(
    common: Common,
    fail_on: Annotated[
        Severity, Option(help="The level from which on the verdict is not OK.", metavar="LEVEL")
    ] = Severity.WARNING,
) -> int:
    """One verdict: 0 OK, 1 warning, 2 critical, 3 unknown. What was not seen is never OK.

    Example: snapaudit check -f json
    """
    where = targets(common.format, common.output or (), CHECK_FORMATS, "text")
    result = verdict(judge(common).audit, fail_on=fail_on)
    write(where, lambda name: render_check(result, name))
    return result.exit_code
