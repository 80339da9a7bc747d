"""``snapaudit check``: one verdict, for CI and monitoring."""

from __future__ import annotations

import os
import sys
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from typing import Annotated

from typer import Option

from snapaudit.app.checking import Wanted, baseline_document, check, previous_run
from snapaudit.check.selection import Selection
from snapaudit.cli.budgets import allowances
from snapaudit.cli.options import Common, with_common
from snapaudit.cli.reading import Judged, judge
from snapaudit.cli.writing import Target, targets, write, write_file
from snapaudit.errors import UsageError
from snapaudit.model.budget import BudgetKind, CheckSettings, overridden
from snapaudit.model.policy import Severity
from snapaudit.report.check.formats import CHECK_FORMATS, render_check
from snapaudit.report.check.listing import listing as objects
from snapaudit.report.escape import plain

_ZERO_FOR_FINDINGS = frozenset({"sarif"})

Limits = list[str] | None


@with_common
def command(
    common: Common,
    fail_on: Annotated[
        Severity | None,
        Option(
            help="The level from which on findings count (default: warning; with sarif: none).",
            metavar="LEVEL",
        ),
    ] = None,
    rule: Annotated[
        list[str] | None, Option(help="Only this rule, or pattern (repeatable).", metavar="RULE")
    ] = None,
    datastore: Annotated[
        list[str] | None,
        Option(help="Only what lies on NAME or ENDPOINT/NAME (repeatable).", metavar="NAME"),
    ] = None,
    max_findings: Annotated[
        Limits,
        Option(
            help="Most findings of a severity; stands in for --fail-on there.", metavar="SEVERITY=N"
        ),
    ] = None,
    max_stale: Annotated[
        Limits, Option(help="Most snapshots that are too old.", metavar="[LEVEL=]N")
    ] = None,
    max_bytes: Annotated[
        Limits, Option(help="Most that all snapshots hold.", metavar="[LEVEL=]SIZE")
    ] = None,
    max_new: Annotated[
        Limits, Option(help="Most findings that were not there before.", metavar="[LEVEL=]N")
    ] = None,
    min_days_to_full: Annotated[
        Limits, Option(help="Soonest that a datastore may be full.", metavar="[LEVEL=]DAYS")
    ] = None,
    min_coverage: Annotated[
        Limits,
        Option(help="Least share of the endpoints to be seen whole.", metavar="[LEVEL=]SHARE"),
    ] = None,
    baseline: Annotated[Path | None, Option(help="Compare with this file.", metavar="FILE")] = None,
    fail_on_new: Annotated[
        bool, Option("--fail-on-new", help="Only what is new or worse counts.")
    ] = False,
    write_baseline: Annotated[
        Path | None, Option(help="Write what stands now, to compare with later.", metavar="FILE")
    ] = None,
    listing: Annotated[
        Path | None,
        Option(help="Write the list of objects that SARIF and GitLab point into.", metavar="FILE"),
    ] = None,
    per_snapshot: Annotated[
        bool, Option("--per-snapshot", help="Metrics of every single snapshot too.")
    ] = False,
) -> int:
    """One verdict: 0 OK, 1 warning, 2 critical, 3 unknown. What was not seen is never OK.

    Formats (-f): text, nagios, checkmk, json, junit, sarif, gitlab, github, prometheus,
    openmetrics, tap.

    Example: snapaudit check -f nagios --datastore 'kvm1/pool-1'

    Example: snapaudit check -f sarif -o snapaudit.sarif --baseline known.json --fail-on-new
    """  # fmt: skip
    where = targets(common.format, common.output or (), CHECK_FORMATS, "text")
    if baseline is not None and write_baseline is not None:
        raise UsageError("--baseline and --write-baseline cannot be combined")
    given = allowances(
        {
            BudgetKind.FINDINGS: max_findings,
            BudgetKind.STALE: max_stale,
            BudgetKind.BYTES: max_bytes,
            BudgetKind.NEW: max_new,
            BudgetKind.DAYS_TO_FULL: min_days_to_full,
            BudgetKind.COVERAGE: min_coverage,
        }
    )
    wanted = Wanted(
        selection=Selection(rules=tuple(rule or ()), datastores=tuple(datastore or ())),
        fail_on=fail_on,
        allowances=given,
        baseline=baseline or write_baseline,
        fail_on_new=fail_on_new,
        per_snapshot=per_snapshot,
    )
    judged = judge(common)
    wanted = replace(wanted, forecasts=judged.past.forecasts)
    if write_baseline is not None:
        _write_baseline(common, judged, wanted.selection, write_baseline)
    over = _over(judged.settings.check, wanted, where)
    checked = check(judged.audit, judged.policy, remembering(common, judged, over))
    if listing is not None:
        write_file(listing, objects(checked.audit).text.encode())
    write(where, lambda name: render_check(checked, name))
    return checked.check.exit_code


def remembering(common: Common, judged: Judged, wanted: Wanted) -> Wanted:
    """With what the history knows: forecasts, and the last run to compare with."""
    if common.demo:  # a made-up fleet has no history of its own
        return wanted
    before = previous_run(judged.settings, os.environ, judged.at, wanted.tolerance)
    return replace(wanted, forecasts=judged.past.forecasts, previous=before)


def _over(standing: CheckSettings, wanted: Wanted, where: Collection[Target]) -> Wanted:
    """The options over the configuration.

    Whoever reads SARIF takes any exit code but 0 for a failure of the tool. So with nothing else
    only what the command line itself asks to fail for can fail.
    """
    names_failure = wanted.fail_on is not None or wanted.fail_on_new
    if {one.format for one in where} <= _ZERO_FOR_FINDINGS and not names_failure:
        return replace(wanted, baseline=wanted.baseline or standing.baseline)
    return replace(
        wanted,
        fail_on=wanted.fail_on or standing.fail_on or Severity.WARNING,
        allowances=overridden(standing.allowances, wanted.allowances),
        baseline=wanted.baseline or standing.baseline,
        fail_on_new=wanted.fail_on_new or standing.fail_on_new,
        tolerance=standing.tolerance,
    )


def _write_baseline(common: Common, judged: Judged, selection: Selection, path: Path) -> None:
    write_file(path, baseline_document(judged.audit, judged.policy, selection))
    if not common.quiet:
        sys.stderr.write(f"{plain(str(path))}: written\n")
