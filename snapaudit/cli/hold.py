"""``snapaudit hold``: what must never be deleted, whatever a rule or a plan says."""

from __future__ import annotations

import sys
from datetime import datetime
from typing import Annotated

import typer
from typer import Argument, Option

from snapaudit.app.gather import settings_of
from snapaudit.cli.exits import Exit
from snapaudit.cli.options import Common, clock, terminal_width, use_colour, with_common
from snapaudit.cli.writing import targets, write
from snapaudit.codec.documents import to_document
from snapaudit.codec.strict import pretty
from snapaudit.enforce.holding import Wish, add, remove
from snapaudit.enforce.holds import HOLDS_SCHEMA, Holds, read_holds
from snapaudit.enforce.state import State
from snapaudit.errors import RefusedError, UsageError
from snapaudit.model.until import parse_until
from snapaudit.report.escape import plain

FORMATS = ("table", "json")


def commands() -> typer.Typer:
    """The commands below ``hold``."""
    tree = typer.Typer(
        no_args_is_help=True, rich_markup_mode=None, help="What must never be deleted."
    )
    tree.command("add")(_add)
    tree.command("list")(_list)
    tree.command("remove")(_remove)
    return tree


@with_common
def _add(
    common: Common,
    vm: Annotated[
        str | None, Argument(help="The machine's name or id; none: every machine.", metavar="VM")
    ] = None,
    snapshot: Annotated[
        str | None, Option(help="Only this snapshot, by name or id.", metavar="NAME")
    ] = None,
    owner: Annotated[str, Option(help="Who answers for it.", metavar="NAME")] = "",
    reason: Annotated[str, Option(help="Why it must stay.", metavar="TEXT")] = "",
    until: Annotated[
        str | None,
        Option(
            help="Its last day, to its end everywhere, or a moment; else until removed.",
            metavar="DATE",
        ),
    ] = None,
) -> int:
    """Hold a snapshot, a machine or, with --endpoint alone, a whole endpoint.

    It counts at once, for every plan and for a run that is under way.

    Example: snapaudit hold add web01 --owner ada --reason "legal case" --until 2026-12-31
    """
    from snapaudit.report.holds import described

    wish = Wish(
        endpoint=_one_endpoint(common),
        vm=vm,
        snapshot=snapshot,
        owner=_required("--owner", owner),
        reason=_required("--reason", reason),
        expires_at=_until(until),
    )
    if wish.endpoint is None and vm is None and snapshot is None:
        raise UsageError("name what to hold: a machine, --snapshot NAME or --endpoint NAME")
    hold = add(_state(common), wish, clock())
    sys.stdout.write(f"{plain(f'{hold.id} holds {described(hold)}')}\n")
    return Exit.DONE


@with_common
def _list(common: Common) -> int:
    """List the holds of the state folder, in force or ended.

    The word snapaudit:hold in a snapshot's name or description, or in a machine's name, notes or
    tags, holds too; such marks stand on the platform and not in this list.

    Example: snapaudit hold list -f json
    """
    where = targets(common.format, common.output or (), FORMATS, "table")
    holds = read_holds(_state(common))
    if holds.unreadable is not None:
        raise RefusedError(f"everything is held: {holds.unreadable}")
    now = common.judged_at(clock())
    write(where, lambda form: _page(common, holds, form, now))
    return Exit.DONE


@with_common
def _remove(
    common: Common,
    hold: Annotated[str, Argument(help="The hold's id, as 'hold list' shows it.", metavar="ID")],
) -> int:
    """Take a hold away.

    Example: snapaudit hold remove h5f3a0c12
    """
    from snapaudit.report.holds import described

    gone = remove(_state(common), hold)
    sys.stdout.write(f"{plain(f'{gone.id} no longer holds {described(gone)}')}\n")
    return Exit.DONE


def _state(common: Common) -> State:
    return State(settings_of(common.request()).state)


def _one_endpoint(common: Common) -> str | None:
    names = common.endpoint or []
    if len(names) > 1:
        raise UsageError("a hold is for one endpoint; add one hold for each --endpoint")
    return names[0] if names else None


def _required(option: str, value: str) -> str:
    if not value.strip():
        raise UsageError(f"{option} is missing: a hold says who answers for it and why")
    return value


def _until(text: str | None) -> datetime | None:
    at = parse_until(text)
    if text is not None and at is None:
        message = f"--until: {text!r} is no date; write 2026-12-31 or 2026-12-31T18:00:00Z"
        raise UsageError(message)
    return at


def _page(common: Common, holds: Holds, form: str, now: datetime) -> bytes:
    from snapaudit.report.holds import render_holds

    if form == "json":
        entries = [to_document(hold) for hold in holds.entries]
        return pretty({"schema": HOLDS_SCHEMA, "holds": entries})
    colour = use_colour(common)
    return render_holds(holds.entries, now, width=terminal_width(), colour=colour)
