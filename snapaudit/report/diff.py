"""Differences for the terminal: what is new, worse, resolved, grown and back since a moment."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import RenderableType
from rich.table import Table

from snapaudit.model.history import Change, Diff
from snapaudit.report.phrases import count, moment, size
from snapaudit.report.rows import subject_name
from snapaudit.report.terminal import NAME_COLUMNS, draw, grid, labelled, text, titled

_SHOWN = 20


def render(diff: Diff, *, width: int, colour: bool) -> bytes:
    """A sentence, what could not be compared, and a table for each kind of change."""
    return draw(_parts(diff), width=width, colour=colour)


def _parts(diff: Diff) -> Iterator[RenderableType]:
    span = f"{moment(diff.since)} to {moment(diff.until)}"
    kinds = (
        ("New", "new", diff.new),
        ("Worse", "worse", diff.worse),
        ("Back again", "back again", diff.back),
        ("Grown", "grown", diff.grown),
        ("Resolved or gone", "resolved or gone", diff.resolved),
    )
    tally = ", ".join(f"{len(many):,} {words}" for _, words, many in kinds)
    yield text(f"{span}: {tally}", "bold")
    for one in diff.unseen:
        yield labelled(f"not compared: {one.endpoint}", "bold magenta", one.reason)
    for title, _, many in kinds:
        if many:
            yield from titled(f"{title} ({len(many):,})", _table(many))
            if len(many) > _SHOWN:
                more = count(len(many) - _SHOWN, "more", "more")
                yield text(f"and {more}: all of them with -f json", "dim")


def _table(many: Sequence[Change]) -> Table:
    table = grid("Endpoint", "What", "Size", "Rules")
    for one in many[:_SHOWN]:
        table.add_row(
            text(one.subject.endpoint, limit=NAME_COLUMNS),
            text(subject_name(one.subject), limit=NAME_COLUMNS),
            text(_sizes(one)),
            text(", ".join(one.rules) or "none"),
        )
    return table


def _sizes(one: Change) -> str:
    """``12 GiB``, ``12 → 40 GiB``, or nothing where it has no size."""
    was, now = one.previous_size_bytes, one.size_bytes
    if was is None and now is None:
        return ""
    if was is None or was == now:
        return size(now)
    return f"{size(was)} → {size(now)}" if now is not None else size(was)
