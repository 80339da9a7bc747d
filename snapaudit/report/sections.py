"""Sections: headings, tables and lists of a Markdown document."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

BREAK = "<br>"


def section(title: str, rows: Iterable[tuple[str, ...]], level: int = 2) -> Iterator[str]:
    """A heading and a table whose first row is its head; nothing when there is no other row."""
    head, *body = rows
    if not body:
        return
    yield from ("", f"{'#' * level} {title}", "", line(head), line("---" for _ in head))
    yield from map(line, body)


def line(cells: Iterable[str]) -> str:
    """One row of a table; the cells are harmless already."""
    return f"| {' | '.join(cells)} |"
