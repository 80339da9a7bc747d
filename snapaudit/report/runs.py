"""Remembered runs for the terminal: when, how much was seen, what was found."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import RenderableType

from snapaudit.model.history import RunRecord, Runs
from snapaudit.model.inventory import CoverageState
from snapaudit.report.phrases import count, moment, size
from snapaudit.report.terminal import draw, grid, text


def render(runs: Runs, *, width: int, colour: bool) -> bytes:
    """A table of the runs, the newest first."""
    return draw(_parts(runs), width=width, colour=colour)


def _parts(runs: Runs) -> Iterator[RenderableType]:
    table = grid("At", "Seen", "Snapshots", "They hold", "Critical", "Warning", "Kept")
    for one in runs.runs:
        said = one.summary
        table.add_row(
            text(moment(one.audited_at)),
            text(_seen(one)),
            text(f"{said.snapshots:,}"),
            text(size(said.snapshot_bytes)),
            text(f"{said.critical:,}"),
            text(f"{said.warning:,}"),
            text("all" if one.has_details else "numbers"),
        )
    if runs.runs:
        yield table
    yield text(f"{count(len(runs.runs), 'run')} in {runs.place}")


def _seen(one: RunRecord) -> str:
    """``3 endpoints``, or those that were not seen whole."""
    holes = [
        f"{entry.endpoint} {entry.state}"
        for entry in one.coverage
        if entry.state is not CoverageState.COMPLETE
    ]
    return ", ".join(holes) or count(len(one.coverage), "endpoint")
