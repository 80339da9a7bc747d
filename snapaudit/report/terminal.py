"""Terminal: what the pictures for a terminal share. Foreign text is never markup in them."""

from __future__ import annotations

import io
from collections.abc import Iterable

from rich.console import Console, RenderableType
from rich.text import Text

from snapaudit.model.policy import Severity
from snapaudit.report.escape import plain

NARROWEST = 60
STYLES = {Severity.CRITICAL: "bold red", Severity.WARNING: "yellow", Severity.INFO: "cyan"}
_BAR_CELLS = 10


def draw(parts: Iterable[RenderableType], *, width: int, colour: bool) -> bytes:
    """The parts below each other, as UTF-8; without colour no control sequence is in it.

    The environment has no say, so that equal parts give equal bytes everywhere.
    """
    out = io.StringIO()
    console = Console(
        file=out,
        width=max(width, NARROWEST),
        force_terminal=colour,
        color_system="standard" if colour else None,
        legacy_windows=False,
        markup=False,
        emoji=False,
        highlight=False,
        _environ={},
    )
    for part in parts:
        console.print(part)
    drawn = out.getvalue().removesuffix("\n").split("\n")
    return "".join(f"{line if colour else line.rstrip()}\n" for line in drawn).encode()


def text(words: str, style: str = "", limit: int | None = None) -> Text:
    """Foreign or own words as a text that commands nothing."""
    return Text(plain(words, limit), style=style)


def lines(*parts: Text) -> Text:
    """The parts as lines of one cell."""
    return Text("\n").join(parts)


def bar(ratio: float) -> str:
    """A share from 0 to 1 as a bar of ten cells; only what is really full looks full."""
    full = int(min(max(ratio, 0.0), 1.0) * _BAR_CELLS)
    return "█" * full + "░" * (_BAR_CELLS - full)
