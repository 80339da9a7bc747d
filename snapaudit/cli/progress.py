"""Progress on stderr: one row an endpoint on a terminal, a line a step with -v, else nothing."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from snapaudit.cli.options import Common
from snapaudit.ports import Progress, Step


@contextmanager
def shown(common: Common) -> Iterator[Progress]:
    """A progress that draws while the block runs and leaves nothing behind."""
    if common.verbose:
        yield _Lines()
        return
    if common.quiet or common.no_progress or not sys.stderr.isatty():
        yield lambda _step: None
        return
    from rich.console import Console
    from rich.progress import Progress as Bars
    from rich.progress import SpinnerColumn, TaskID, TextColumn

    console = Console(stderr=True, no_color=common.no_color)
    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False))
    with Bars(*columns, console=console, transient=True) as bars:
        rows: dict[str, TaskID] = {}

        def draw(step: Step) -> None:
            if step.endpoint not in rows:
                rows[step.endpoint] = bars.add_task("", total=None)
            bars.update(rows[step.endpoint], description=_line(step))

        yield draw


class _Lines:
    """One plain line whenever an endpoint comes to its next phase."""

    def __init__(self) -> None:
        self._phases: dict[str, str] = {}

    def __call__(self, step: Step) -> None:
        if self._phases.get(step.endpoint) != step.phase:
            self._phases[step.endpoint] = step.phase
            sys.stderr.write(f"{_line(step)}\n")


def _line(step: Step) -> str:
    from snapaudit.report.escape import plain

    of_all = f" of {step.total}" if step.total is not None else ""
    counted = f"  {step.seen}{of_all} virtual machines" if step.seen else ""
    return f"{plain(step.endpoint)}  {step.phase}{counted}"
