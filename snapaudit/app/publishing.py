"""Publish a report: its files in the folder of its day, the list of all, and old ones removed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from snapaudit.archive.clearing import Cleared, clear
from snapaudit.archive.shelf import put, put_index, shelved
from snapaudit.model.edition import Edition
from snapaudit.model.weekly import WeeklyReport
from snapaudit.report.headline import not_seen, sentence
from snapaudit.report.weekly.index import render as list_of

FILES: Mapping[str, str] = {
    "html": "report.html",
    "markdown": "report.md",
    "json": "report.json",
    "csv": "report.csv",
    "xlsx": "report.xlsx",
}
_NOTHING = Cleared(gone=(), staying=())


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """Where the report and the list lie, and what became of old reports."""

    folder: Path
    index: Path
    cleared: Cleared


def publish(
    report: WeeklyReport, folder: Path, render: Callable[[str], bytes], *, keep: int | None
) -> Published:
    """Write the report in every format. ``keep`` None: no report is ever taken away.

    ``render`` gives the report in the format of that name. Raises SnapauditError.
    """
    bodies = {name: render(form) for form, name in FILES.items()}
    place = put(folder, _edition(report), bodies)
    cleared = _NOTHING if keep is None else clear(folder, keep)
    index = put_index(folder, list_of(shelved(folder)))
    return Published(folder=place, index=index, cleared=cleared)


def _edition(report: WeeklyReport) -> Edition:
    seen = "; ".join((sentence(report.check), *not_seen(report.check.coverage)))
    return Edition(
        reported_at=report.reported_at,
        status=report.check.status,
        sentence=seen,
        numbers={one.name: one.value for one in report.numbers},
        files={},
    )
