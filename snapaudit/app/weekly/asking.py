"""Asking for the weekly report: of the last recorded run, or of an audit that is at hand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from snapaudit.app.history import exists, open_history
from snapaudit.app.weekly.gathering import remembered
from snapaudit.app.weekly.keeping import KeptAudit, kept
from snapaudit.app.weekly.making import Remembered, weekly
from snapaudit.config.settings import Settings
from snapaudit.enforce.state import State
from snapaudit.errors import SnapauditError, UsageError
from snapaudit.model.finding import Audit
from snapaudit.model.weekly import WeeklyReport
from snapaudit.report.phrases import count

OLD = timedelta(hours=36)
"""A nightly audit may be late by half a day before its report has to say so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A report; ``told_on``: the day on which its run was too far off to go without saying."""

    report: WeeklyReport
    told_on: date | None = None


def last_run(settings: Settings, environ: Mapping[str, str], now: datetime) -> Asked:
    """The report of the run that was recorded last, with a word at its top when that is far off.

    Otherwise audits that fail every night would go on as last month's clean report. The date of a
    run is that of what was seen. Raises as `report_of_last_run`.
    """
    found = _kept(settings)
    report = report_of(found.audit, found.recorded_at, settings, environ)
    remark = _far_off(found.recorded_at, now)
    if remark is None:
        return Asked(report=report)
    remarks = (remark, *report.remarks)
    return Asked(report=replace(report, remarks=remarks), told_on=now.date())


def _far_off(at: datetime, now: datetime) -> str | None:
    age = now - at
    if age >= OLD:
        return (
            f"The last recorded run was {count(age.days, 'day')} before this report was made: what "
            "has happened since is not in it. Does `snapaudit audit` still run?"
        )
    if -age >= OLD:
        return (
            f"The last recorded run is dated {count((-age).days, 'day')} after this report was "
            "made, by `--now` or a wrong clock: it shows no present state. Run `snapaudit audit`."
        )
    return None


def report_of_last_run(settings: Settings, environ: Mapping[str, str]) -> WeeklyReport:
    """The report of the run that was recorded last in this state folder.

    Raises UsageError where there is none yet, InputError for one that cannot be read.
    """
    found = _kept(settings)
    return report_of(found.audit, found.recorded_at, settings, environ)


def _kept(settings: Settings) -> KeptAudit:
    found = kept(State(settings.state))
    if found is None:
        raise UsageError(
            f"{settings.state}: no run is recorded yet; `snapaudit audit` records one, or name "
            "--inventory FILE or --demo"
        )
    return found


def report_of(
    audit: Audit, at: datetime, settings: Settings, environ: Mapping[str, str]
) -> WeeklyReport:
    """The report of an audit of that date. A history that cannot be read is told in it."""
    state = State(settings.state)
    return weekly(audit, _remembered(audit, at, settings, environ, state), settings.owners)


def _remembered(
    audit: Audit, at: datetime, settings: Settings, environ: Mapping[str, str], state: State
) -> Remembered:
    if not exists(settings):
        return remembered(audit, at, None, state)
    try:
        with open_history(settings, environ) as store:
            return remembered(audit, at, store, state)
    except SnapauditError as error:
        return remembered(audit, at, None, state, fault=str(error))
