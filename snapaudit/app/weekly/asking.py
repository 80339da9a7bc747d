"""Asking for the weekly report: of the last recorded run, or of an audit that is at hand."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from snapaudit.app.history import exists, open_history
from snapaudit.app.weekly.gathering import remembered
from snapaudit.app.weekly.keeping import kept
from snapaudit.app.weekly.making import Remembered, weekly
from snapaudit.config.settings import Settings
from snapaudit.enforce.state import State
from snapaudit.errors import SnapauditError, UsageError
from snapaudit.model.finding import Audit
from snapaudit.model.weekly import WeeklyReport


def report_of_last_run(settings: Settings, environ: Mapping[str, str]) -> WeeklyReport:
    """The report of the run that was recorded last in this state folder.

    Raises UsageError where there is none yet, InputError for one that cannot be read.
    """
    found = kept(State(settings.state))
    if found is None:
        raise UsageError(
            f"{settings.state}: no run is recorded yet; `snapaudit audit` records one, or name "
            "--inventory FILE or --demo"
        )
    return report_of(found.audit, found.recorded_at, settings, environ)


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
