"""``snapaudit history``: the remembered runs, whether they can be read, and a copy of them."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer
from typer import Argument, Option

from snapaudit.app.gather import settings_of
from snapaudit.app.history import open_history
from snapaudit.cli.diff import refuse_other_sources
from snapaudit.cli.exits import Exit
from snapaudit.cli.options import Common, clock, terminal_width, use_colour, with_common
from snapaudit.cli.reading import tell
from snapaudit.cli.writing import targets, write
from snapaudit.model.history import Runs
from snapaudit.report.escape import plain

FORMATS = ("table", "json")


def commands() -> typer.Typer:
    """The commands below ``history``."""
    tree = typer.Typer(
        no_args_is_help=True, rich_markup_mode=None, help="The recorded runs: list, check, copy."
    )
    tree.command("list")(_list)
    tree.command("check")(_check)
    tree.command("backup")(_backup)
    return tree


@with_common
def _list(
    common: Common,
    last: Annotated[int, Option(help="Only the last N runs.", metavar="N", min=1)] = 20,
) -> int:
    """List recorded runs, the newest first.

    Example: snapaudit history list --last 52
    """
    refuse_other_sources(common, "history")
    where = targets(common.format, common.output or (), FORMATS, "table")
    with open_history(settings_of(common.request()), os.environ) as store:
        runs = Runs(place=store.place, runs=store.runs(limit=last, until=common.judged_at(clock())))
    width, colour = terminal_width(), use_colour(common)
    write(where, lambda form: _page(runs, form, width, colour=colour))
    return Exit.DONE


def _page(runs: Runs, form: str, width: int, *, colour: bool) -> bytes:
    if form == "json":
        from snapaudit.report.json import render as render_json

        return render_json(runs)
    from snapaudit.report.runs import render

    return render(runs, width=width, colour=colour)


@with_common
def _check(common: Common) -> int:
    """Read everything that is stored and tell what is wrong with it. Ends with 1 if something is.

    Example: snapaudit history check
    """
    with open_history(settings_of(common.request()), os.environ) as store:
        place, faults = store.place, store.faults()
    for fault in faults:
        tell(f"{place}: {fault}")
    if faults:
        return Exit.FAILED
    sys.stdout.write(f"{plain(place)}: sound\n")
    return Exit.DONE


@with_common
def _backup(
    common: Common,
    target: Annotated[
        Path, Argument(help="The copy; one of that name is replaced.", metavar="FILE")
    ],
) -> int:
    """Write a copy of the history that can be put in its place. Runs may be recorded meanwhile.

    Example: snapaudit history backup /srv/backup/snapaudit-history.db
    """
    with open_history(settings_of(common.request()), os.environ) as store:
        store.backup(target)
    if not common.quiet:
        sys.stderr.write(f"{plain(str(target))}: written\n")
    return Exit.DONE
