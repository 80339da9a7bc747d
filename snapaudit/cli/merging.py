"""Merges under way, on stderr: a live view on a terminal, else a line now and then."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from snapaudit.cli.options import Common
from snapaudit.model.journal import Event
from snapaudit.model.outcome import Merging
from snapaudit.model.pace import Pace

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

# What draws is imported when the first merge is shown: most commands start without it.
Signs = Callable[[Merging], None]
Clock = Callable[[], float]
_STYLES = {Event.DONE: "green", Event.ALREADY_GONE: "green", Event.REFUSED: "magenta"}
_SECONDS_BETWEEN_LINES = 10.0


@contextmanager
def merges_shown(common: Common) -> Iterator[Signs]:
    """Where the signs of life of all actions go while the block runs.

    On a terminal what is under way is drawn anew all the time, and what has ended stays. Silent
    with ``-q`` and ``--no-progress``; nothing of it goes to stdout.
    """
    if common.quiet or common.no_progress:
        yield lambda _one: None
    elif common.verbose or not sys.stderr.isatty() or os.environ.get("TERM") == "dumb":
        yield Lines(_to_stderr, time.monotonic)
    else:
        with _live(common) as signs:
            yield signs


def _to_stderr(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


class Watches:
    """The actions under way, each with its pace and the moment when it was first heard of."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._under_way: dict[str, tuple[float, Pace]] = {}

    def timed(self, one: Merging) -> Merging:
        """The sign with rate and time left, where whoever sent it did not know them."""
        now = self._clock()
        _begun, pace = self._under_way.setdefault(one.action_id, (now, Pace()))
        if one.done_bytes is None:
            return one
        pace.add(now, one.done_bytes)
        rate = pace.rate_bytes if one.rate_bytes is None else one.rate_bytes
        left = pace.left(one.total_bytes) if one.left is None else one.left
        return replace(one, rate_bytes=rate, left=left)

    def ended(self, one: Merging) -> timedelta:
        """How long the action took; it is forgotten with that."""
        now = self._clock()
        begun, _pace = self._under_way.pop(one.action_id, (now, None))
        return timedelta(seconds=round(now - begun))


class Lines:
    """A line whenever an action comes to its next phase, else one every ten seconds at most."""

    def __init__(self, write: Callable[[str], None], clock: Clock) -> None:
        self._write = write
        self._clock = clock
        self._watches = Watches(clock)
        self._told: dict[str, tuple[str, float]] = {}

    def __call__(self, one: Merging) -> None:
        """Take in a sign of life."""
        from snapaudit.report.merging import ending, is_end, place, standing

        timed = self._watches.timed(one)
        if is_end(one):
            self._told.pop(one.action_id, None)
            self._write(ending(one, self._watches.ended(one)))
        elif self._is_due(one):
            self._told[one.action_id] = (one.phase, self._clock())
            self._write(f"{place(one)}: {standing(timed)}")

    def _is_due(self, one: Merging) -> bool:
        phase, told_at = self._told.get(one.action_id, (None, 0.0))
        return phase != one.phase or self._clock() - told_at >= _SECONDS_BETWEEN_LINES


class Board:
    """What is under way, as the picture of the moment: two lines an action, by its datastore."""

    def __init__(self, console: Console, clock: Clock) -> None:
        self._console = console
        self._watches = Watches(clock)
        self._under_way: dict[str, Merging] = {}

    def __call__(self, one: Merging) -> None:
        """Take in a sign of life; what has ended is printed above the picture, and stays."""
        from snapaudit.report.merging import ending, is_end
        from snapaudit.report.terminal import text

        others = {key: seen for key, seen in self._under_way.items() if key != one.action_id}
        timed = self._watches.timed(one)
        # Another thread draws meanwhile: it is handed a new dict, never one that changes.
        self._under_way = others if is_end(one) else {**others, one.action_id: timed}
        if is_end(one):
            style = _STYLES.get(Event(one.phase), "bold red")
            self._console.print(text(ending(one, self._watches.ended(one)), style))

    def __rich__(self) -> RenderableType:
        """The picture."""
        from snapaudit.report.merging import done_ratio, place, standing
        from snapaudit.report.terminal import bar, lines, text

        drawn = []
        for one in sorted(self._under_way.values(), key=_by_datastore):
            ratio = done_ratio(one)
            cells = "" if ratio is None else f"{bar(ratio)} "
            drawn += [text(place(one), "bold"), text(f"  {cells}{standing(one)}")]
        return lines(*drawn)


def _by_datastore(one: Merging) -> tuple[str, str, str]:
    return (one.endpoint, one.datastore or "", one.action_id)


@contextmanager
def _live(common: Common) -> Iterator[Signs]:
    from rich.console import Console
    from rich.live import Live

    console = Console(stderr=True, no_color=common.no_color or None, highlight=False)
    board = Board(console, time.monotonic)
    with Live(get_renderable=board.__rich__, console=console, transient=True):
        yield board
