"""``snapaudit diff``: what changed since an earlier run."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from typing import Annotated

from typer import Option

from snapaudit.app.gather import is_wanted, settings_of
from snapaudit.app.history import compare
from snapaudit.cli.exits import Exit
from snapaudit.cli.options import Common, clock, terminal_width, use_colour, with_common
from snapaudit.cli.writing import targets, write
from snapaudit.errors import UsageError
from snapaudit.model.history import Diff
from snapaudit.model.units import UnitError, parse_duration

FORMATS = ("table", "json")


@with_common
def command(
    common: Common,
    since: Annotated[
        str | None,
        Option(
            help="A time, a day, or how long ago (7d); default: the run before the last one.",
            metavar="WHEN",
        ),
    ] = None,
) -> int:
    """Compare recorded runs: new, worse, resolved, grown, back. It reads the history, no endpoint.

    Matched by identity: a renamed snapshot is the same one, one taken anew under an old name is
    not. An endpoint that was not seen whole resolves nothing.

    Example: snapaudit diff --since 7d
    """
    refuse_other_sources(common, "diff")
    where = targets(common.format, common.output or (), FORMATS, "table")
    until = common.judged_at(clock())
    begin = None if since is None else _begin(since, until)
    wanted = tuple(common.endpoint or ())
    found = compare(settings_of(common.request()), os.environ, begin, until, wanted)
    chosen = found.about(lambda name: is_wanted(name, wanted))
    width, colour = terminal_width(), use_colour(common)
    write(where, lambda form: _page(chosen, form, width, colour=colour))
    return Exit.INCOMPLETE if chosen.unseen else Exit.DONE


def refuse_other_sources(common: Common, name: str) -> None:
    """What reads the history reads nothing else."""
    for option, given in (("--inventory", common.inventory), ("--demo", common.demo)):
        if given:
            raise UsageError(f"{name} reads recorded runs; it cannot go with {option}")


def _begin(text: str, until: datetime) -> datetime:
    try:
        return until - parse_duration(text)
    except UnitError:
        pass
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        message = f"--since: {text!r} is no time; write 2026-06-01T12:00:00Z, 2026-06-01 or 7d"
        raise UsageError(message) from error
    if moment.tzinfo is not None:
        return moment.astimezone(UTC)
    if (moment - datetime.combine(moment, datetime.min.time())) == timedelta(0) and "T" not in text:
        return moment.replace(tzinfo=UTC)
    raise UsageError(f"--since: {text!r} has no time zone; write 2026-06-01T12:00:00Z")


def _page(diff: Diff, form: str, width: int, *, colour: bool) -> bytes:
    if form == "json":
        from snapaudit.report.json import render as render_json

        return render_json(diff)
    from snapaudit.report.diff import render

    return render(diff, width=width, colour=colour)
