"""Rulebook for the terminal: a rule with origins, how its cases stood, which rules are of use."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from snapaudit.model.policy import Rule
from snapaudit.model.rulebook import ResolvedCondition, ResolvedEnvironment, ResolvedRule
from snapaudit.report import modes
from snapaudit.report.phrases import words
from snapaudit.report.terminal import STYLES, draw, facts, text


def render_resolved(one: ResolvedRule, rule: Rule, *, width: int, colour: bool) -> bytes:
    """The rule as it is in force in each environment; below each level, where it is written."""
    return draw(_resolved(one, rule), width=width, colour=colour)


def _resolved(one: ResolvedRule, rule: Rule) -> Iterator[RenderableType]:
    yield Text.assemble(text(one.id, "bold"), text(f"  {one.title}"))
    yield facts(
        (
            ("about", words(one.subject)),
            ("remedy", modes.remedy(rule)),
            ("mode", modes.sentence(rule)),
            ("stands in", one.origin),
        )
    )
    for environment in one.environments:
        yield from levels(environment)
    if one.unless is not None:
        yield Text()
        yield text("in every environment", "bold")
        table = _grid()
        _row(table, text("unless"), one.unless)
        yield table


def levels(environment: ResolvedEnvironment) -> Iterator[RenderableType]:
    """One environment: its name, and its levels with the places they come from."""
    yield Text()
    note = "" if environment.is_configured else "  no environment of this name is configured"
    yield Text.assemble(text(environment.name, "bold"), text(note, "dim"))
    table = _grid()
    for level in environment.levels:
        _row(table, text(str(level.severity), STYLES[level.severity]), level.condition)
    yield table


def _grid() -> Table:
    table = Table.grid(padding=(0, 1, 0, 2))
    table.add_column(width=8)
    table.add_column(overflow="fold")
    return table


def _row(table: Table, label: Text, condition: ResolvedCondition) -> None:
    table.add_row(label, text(condition.written))
    for origin in condition.origins:
        table.add_row("", text(origin, "dim"))
