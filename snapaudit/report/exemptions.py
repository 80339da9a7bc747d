"""Exemptions for the terminal: what is accepted, by whom, why and until when; what to say of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from rich.text import Text

from snapaudit.model.exemption import (
    ExemptionLint,
    ExemptionStanding,
    ExemptionState,
    RemarkLevel,
    Selector,
)
from snapaudit.report.phrases import count, duration, words
from snapaudit.report.terminal import NAME_COLUMNS, draw, grid, lines, text

_LONGEST_REASON = 200
_SUBJECTS = ("snapshot", "vm", "datastore", "file")
_STYLES = {RemarkLevel.ERROR: "bold red", RemarkLevel.WARNING: "yellow"}


def selected(selector: Selector) -> str:
    """``snapshot before * of vm erp-db01 on kvm1``: what a selector is about, in words."""
    said = selector.written()
    parts = [f"{words(key)} {said[key]}" for key in _SUBJECTS if key in said]
    parts += [f"with tag {' or '.join(selector.tags)}"] if selector.tags else []
    parts += [f"in {selector.environment}"] if selector.environment else []
    parts += [f"on {selector.endpoint}"] if selector.endpoint else []
    return ", ".join(parts)


def state(one: ExemptionStanding, now: datetime) -> str:
    """``29 days left``, or that it has ended."""
    if one.state is ExemptionState.EXPIRED:
        return "ended"
    return f"{duration(one.ends_at - now)} left"


def accepted(one: ExemptionStanding) -> str:
    """``3 findings``, or empty where no audit was made."""
    return "" if one.findings is None else count(one.findings, "finding")


def render_exemptions(
    exemptions: Sequence[ExemptionStanding], now: datetime, *, width: int, colour: bool
) -> bytes:
    """One row an exemption, in the order of the file."""
    if not exemptions:
        return b"no exemptions\n"
    table = grid("Exemption", "Accepts", "Owner", "Until", "Reason")
    for one in exemptions:
        style = "dim" if one.state is ExemptionState.EXPIRED else ""
        rules = lines(*(text(rule, style) for rule in one.rules))
        table.add_row(
            text(one.id, style, NAME_COLUMNS),
            lines(rules, text(selected(one.selector), style)),
            text(one.owner or "nobody", style, NAME_COLUMNS),
            lines(text(one.until, style), text(state(one, now), "dim")),
            _reason(one, style),
        )
    ended = sum(one.state is ExemptionState.EXPIRED for one in exemptions)
    total = count(len(exemptions), "exemption") + (f", {ended:,} ended" if ended else "")
    return draw((table, text(total)), width=width, colour=colour)


def _reason(one: ExemptionStanding, style: str) -> Text:
    reason = text(one.reason, style, _LONGEST_REASON)
    return lines(reason, text(one.ticket, "dim")) if one.ticket else reason


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
