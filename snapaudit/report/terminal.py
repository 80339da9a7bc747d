"""Terminal: what the pictures for a terminal share. Foreign text is never markup in them."""

from __future__ import annotations

import io
import shlex
from collections.abc import Iterable, Iterator, Sequence

from rich import box
from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from snapaudit.model.policy import Severity
from snapaudit.report.escape import plain

NARROWEST = 60
STYLES = {Severity.CRITICAL: "bold red", Severity.WARNING: "yellow", Severity.INFO: "cyan"}
NAME_COLUMNS = 48
_BAR_CELLS = 10
_EXAMPLES = 3


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


def labelled(label: str, style: str, said: str) -> Text:
    """``label: what is said``, the label in its style."""
    return Text.assemble(text(label, style), ": ", text(said))


def steps(purpose: str, how: Iterable[str]) -> Iterator[RenderableType]:
    """What one may want to do, and below it, set in, the lines to type."""
    yield text(f"  {purpose}:", "dim")
    yield from (Padding(text(line), (0, 0, 0, 4)) for line in how)


def lines(*parts: Text) -> Text:
    """The parts as lines of one cell."""
    return Text("\n").join(parts)


def titled(title: str, body: RenderableType) -> Iterator[RenderableType]:
    """A section: an empty line, its title, its content."""
    yield Text()
    yield Text(title, style="bold")
    yield body


def grid(*columns: str) -> Table:
    """An open table with a line below its head."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, expand=False, show_edge=False)
    for name in columns:
        table.add_column(name, overflow="fold")
    return table


def facts(pairs: Iterable[tuple[str, str]]) -> Table:
    """Names and what is said of each, in two columns."""
    table = Table.grid(padding=(0, 1, 0, 2))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for name, said in pairs:
        table.add_row(text(name, "dim"), text(said))
    return table


def examples(names: Sequence[str]) -> Text:
    """The first few names, one a line, and how many more there are."""
    shown = [text(name, "", NAME_COLUMNS) for name in names[:_EXAMPLES]]
    more = len(names) - len(shown)
    return lines(*shown, *([text(f"and {more:,} more", "dim")] if more else []))


def typed(*words: str) -> str | None:
    """The words as a command to type, or None where one of them cannot be typed as it looks."""
    return shlex.join(words) if all(plain(word) == word for word in words) else None


def bar(ratio: float) -> str:
    """A share from 0 to 1 as a bar of ten cells; only what is really full looks full."""
    full = int(min(max(ratio, 0.0), 1.0) * _BAR_CELLS)
    return "█" * full + "░" * (_BAR_CELLS - full)
