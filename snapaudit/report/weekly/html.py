"""HTML: the weekly report as one page without network, for Monday morning and for the boss."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from snapaudit.model.history import Change
from snapaudit.model.inventory import Gap
from snapaudit.model.weekly import StoreOutlook, WeeklyReport
from snapaudit.report import headline
from snapaudit.report.charts import (
    FILL_HEIGHT,
    FILL_WIDTH,
    SPARK_HEIGHT,
    SPARK_WIDTH,
    FillChart,
    fill_chart,
    spark,
)
from snapaudit.report.pages import page
from snapaudit.report.rows import fold_questions
from snapaudit.report.view import Blind
from snapaudit.report.weekly import picks, words

_OFFENDERS = 20
_CHAINS = 6
_STORES = 12
_OWNERS = 40
_BESIDE = 15
_ROWS = 50
_SECTIONS = (
    ("numbers", "Key numbers"),
    ("changes", "Changes"),
    ("stores", "Datastores"),
    ("offenders", "Top offenders"),
    ("owners", "Owners"),
    ("suspects", "Makeshift backups"),
    ("deeds", "Cleaning up"),
    ("allowances", "Exemptions"),
    ("method", "Errors and method"),
)


def render(report: WeeklyReport) -> bytes:
    """The page in UTF-8; equal reports give equal bytes."""
    shown = report.stores[:_STORES]
    largest = picks.largest(report, _OFFENDERS)
    sizes = [one.snapshot.size_bytes or 0 for one in largest]
    return page(
        "weekly.html",
        report=report,
        check=report.check,
        headline=headline,
        words=words,
        labels=words.LABELS,
        sections=_SECTIONS,
        lead=tuple(words.lead(report)),
        cautions=headline.cautions(report.check.coverage),
        absent=picks.absent(report),
        numbers=[(one, spark(one.samples)) for one in report.numbers],
        spark_size=(SPARK_WIDTH, SPARK_HEIGHT),
        changes=_changes(report),
        stores=[(one, _chart(one)) for one in shown],
        more_stores=len(report.stores) - len(shown),
        fill_size=(FILL_WIDTH, FILL_HEIGHT),
        largest=largest,
        biggest=max(sizes, default=0) or 1,
        chains=picks.chains(report, _CHAINS),
        beside=picks.beside(report),
        most_beside=_BESIDE,
        most_rows=_ROWS,
        most_owners=_OWNERS,
        most_held=max((part.size_bytes for part in report.owners), default=0) or 1,
        suspects=picks.suspect_machines(report),
        due=picks.due(report),
        allowances=picks.attention(report),
        questions=fold_questions(report.undetermined),
        gaps=[each for one in report.unseen for each in _blind(one.endpoint, one.gaps)],
        doubts=[each for one in report.unseen for each in _blind(one.endpoint, one.doubts)],
        blind_spots=tuple(_never(report)),
    )


def _chart(store: StoreOutlook) -> FillChart | None:
    days = store.forecast.days_to_full if store.forecast is not None else None
    return fill_chart(store.levels, days)


def _changes(report: WeeklyReport) -> tuple[tuple[str, str, tuple[Change, ...]], ...]:
    """Title, tone when there are some, and the changes; nothing without an earlier run."""
    diff = report.changes
    if diff is None:
        return ()
    return (
        ("New", "warning", picks.most_changed(diff.new)),
        ("Worse", "warning", picks.most_changed(diff.worse)),
        ("Resolved", "ok", picks.most_changed(diff.resolved)),
        ("Grown", "warning", picks.most_changed(diff.grown)),
        ("Back again", "critical", picks.most_changed(diff.back)),
    )


def _blind(endpoint: str, gaps: Iterable[Gap]) -> Iterator[Blind]:
    return (Blind(endpoint=endpoint, subject=gap.subject, reason=gap.reason) for gap in gaps)


def _never(report: WeeklyReport) -> Iterator[Blind]:
    for one in report.unseen:
        for spot in one.blind_spots:
            yield Blind(endpoint=one.endpoint, subject="the platform", reason=spot)
