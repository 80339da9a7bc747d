"""Progress on stderr: rows that are drawn anew on a terminal, plain lines with -v, else nothing."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from snapaudit.cli.options import Common
from snapaudit.ports import WAITING, Progress, Step
from snapaudit.report.progress import board, line, summary

_LINE_EVERY = 5.0
_DRAWN_A_SECOND = 4


@contextmanager
def shown(common: Common) -> Iterator[Progress]:
    """A progress that draws while the block runs and leaves nothing behind."""
    if common.verbose:
        with _logged() as progress:
            yield progress
    elif common.quiet or common.no_progress or not sys.stderr.isatty():
        yield lambda _step: None
    else:
        with _drawn(common) as progress:
            yield progress


class _Latest:
    """The last step of each endpoint, told by many threads."""

    def __init__(self) -> None:
        self._steps: dict[str, Step] = {}
        self._began = time.monotonic()
        self._telling = threading.Lock()

    def __call__(self, step: Step) -> None:
        self.is_new(step)

    def is_new(self, step: Step) -> bool:
        """Note the step: whether the endpoint has come to another phase."""
        with self._telling:
            before = self._steps.get(step.endpoint)
            self._steps[step.endpoint] = step
            return before is None or before.phase != step.phase

    def steps(self) -> tuple[Step, ...]:
        """One an endpoint."""
        with self._telling:
            return tuple(self._steps.values())

    def seconds(self) -> float:
        """Since the beginning."""
        return time.monotonic() - self._began


@contextmanager
def _drawn(common: Common) -> Iterator[Progress]:
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

    latest, console = _Latest(), Console(stderr=True, no_color=common.no_color)

    def picture() -> Text:
        steps = latest.steps()
        rows = board(steps, latest.seconds(), console.width, console.height) if steps else []
        return Text("\n".join(rows), no_wrap=True)

    live = Live(
        console=console,
        get_renderable=picture,
        refresh_per_second=_DRAWN_A_SECOND,
        transient=True,
        redirect_stdout=False,
    )
    with live:
        yield latest


@contextmanager
def _logged() -> Iterator[Progress]:
    """A line whenever an endpoint comes to its next phase, and a sum every few seconds."""
    latest, over = _Latest(), threading.Event()

    def tell(step: Step) -> None:
        if latest.is_new(step) and step.phase != WAITING:
            sys.stderr.write(f"{line(step)}\n")

    def sum_up() -> None:
        while not over.wait(_LINE_EVERY):
            if latest.steps():
                sys.stderr.write(f"{summary(latest.steps(), latest.seconds())}\n")

    summing = threading.Thread(target=sum_up, daemon=True)
    summing.start()
    try:
        yield tell
    finally:
        over.set()
        summing.join()
