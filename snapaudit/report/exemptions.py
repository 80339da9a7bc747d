"""Exemptions for the terminal: what is accepted, by whom, why and until when; what to say of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from rich.table import Table
from rich.text import Text

from snapaudit.model.exemption import (
    ExemptionLint,
    ExemptionStanding,
    ExemptionState,
    RemarkLevel,
)
from snapaudit.report.accepted import accepts, left, owner, selected, why
from snapaudit.report.phrases import count
from snapaudit.report.terminal import NAME_COLUMNS, draw, grid, lines, text

_LONGEST_REASON = 200
_STYLES = {RemarkLevel.ERROR: "bold red", RemarkLevel.WARNING: "yellow"}


def render_exemptions(
    exemptions: Sequence[ExemptionStanding], now: datetime, *, width: int, colour: bool
) -> bytes:
    """One row an exemption, in the order of the file."""
    if not exemptions:
        return b"no exemptions\n"
    return draw(
        (exemption_table(exemptions, now), text(total(exemptions))), width=width, colour=colour
    )


def total(exemptions: Sequence[ExemptionStanding]) -> str:
    """``3 exemptions, 1 of them ended``."""
    ended = sum(one.state is ExemptionState.EXPIRED for one in exemptions)
    said = count(len(exemptions), "exemption")
    return f"{said}, {ended:,} of them ended" if ended else said


def exemption_table(exemptions: Sequence[ExemptionStanding], now: datetime) -> Table:
    """One row an exemption: which findings it accepts, of whom, until when, why."""
    table = grid("Exemption", "Accepts", "Owner", "Until", "Reason")
    for one in exemptions:
        style = "dim" if one.state is ExemptionState.EXPIRED else ""
        used = [text(accepts(one), "dim")] if one.findings is not None else []
        table.add_row(
            text(one.id, style, NAME_COLUMNS),
            lines(text(", ".join(one.rules), style), text(selected(one.selector), style), *used),
            text(owner(one), style, NAME_COLUMNS),
            lines(text(one.until, style), text(left(one, now), "dim")),
            text(why(one), style, _LONGEST_REASON),
        )
    return table


def render_lint(lint: ExemptionLint, *, width: int, colour: bool) -> bytes:
    """A line for everything there is to say, with its place; then the sum."""
    said = [
        Text.assemble(
            text(f"{one.place}: "),
            text(one.level, _STYLES[one.level]),
            text(f": {one.exemption} " if one.exemption else ": "),
            text(one.sentence),
        )
        for one in lint.remarks
    ]
    return draw((*said, text(_sum(lint))), width=width, colour=colour)


def _sum(lint: ExemptionLint) -> str:
    errors = sum(one.level is RemarkLevel.ERROR for one in lint.remarks)
    found = f"{count(errors, 'error')}, {count(len(lint.remarks) - errors, 'warning')}"
    looked = f"held against {', '.join(lint.seen)}" if lint.seen else _NOT_LOOKED
    return f"{count(lint.exemptions, 'exemption')} can be used; {found}; {looked}"


_NOT_LOOKED = "nothing was looked at, so unused ones are not told (--endpoint, --inventory, --demo)"
