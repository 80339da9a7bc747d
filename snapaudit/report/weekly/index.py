"""The list of all published reports: one page beside their folders, without network and script."""

from __future__ import annotations

from collections.abc import Iterable

from snapaudit.model.edition import Shelved
from snapaudit.model.weekly import KeyName
from snapaudit.report.pages import page
from snapaudit.report.phrases import size
from snapaudit.report.weekly import words

_TITLES = {
    "report.md": "Markdown",
    "report.json": "JSON",
    "report.csv": "CSV",
    "report.xlsx": "sheet",
}


def render(reports: Iterable[Shelved]) -> bytes:
    """The page in UTF-8, in the order of the reports."""
    found = tuple(reports)
    return page(
        "index.html",
        reports=found,
        newest=next((one for one in found if one.edition is not None), None),
        names=tuple(KeyName),
        labels=words.LABELS,
        number=_number,
        titles=_TITLES,
    )


def _number(name: KeyName, value: int | None) -> str:
    if value is None:
        return "unknown"
    return size(value) if name in (KeyName.HELD, KeyName.RECLAIMABLE) else f"{value:,}"
