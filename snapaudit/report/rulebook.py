"""Rulebook for the terminal: a rule with origins, how its cases stood, which rules are of use."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from snapaudit.model.policy import Rule, Severity
from snapaudit.model.rulebook import (
    CaseResult,
    ResolvedCondition,
    ResolvedEnvironment,
    ResolvedRule,
    RuleCoverage,
    RuleTests,
    RuleUse,
)
from snapaudit.report import modes
from snapaudit.report.phrases import count, words
from snapaudit.report.terminal import STYLES, draw, facts, grid, labelled, text


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
    yield from in_force(one)


def in_force(one: ResolvedRule) -> Iterator[RenderableType]:
    """The levels in each environment, and the exception, with the places they come from."""
    for environment in one.environments:
        yield from levels(environment)
    if one.unless is not None:
        yield Text()
        yield text("in every environment", "bold")
        table = _grid()
        _row(table, text("unless"), one.unless)
        yield table


def render_tests(tests: RuleTests, *, width: int, colour: bool) -> bytes:
    """One line for each rule whose cases hold, and each case that does not hold in full."""
    return draw(_tests(tests), width=width, colour=colour)


def _tests(tests: RuleTests) -> Iterator[RenderableType]:
    failed = [result for result in tests.results if not result.holds]
    failing = {result.rule for result in failed}
    for result in failed:
        yield Text.assemble(text("failed", "bold red"), text(f"  {result.rule}  {result.origin}"))
        yield facts(_failure(result))
    for rule, number in Counter(result.rule for result in tests.results).items():
        if rule not in failing:
            yield text(f"holds   {rule}: {count(number, 'case')}")
    if tests.without_cases:
        yield labelled("no cases", "yellow", ", ".join(tests.without_cases))
    if tests.overridden:
        names = ", ".join(tests.overridden)
        yield labelled("levels of the configuration, which no case knows", "dim", names)
    held = len(tests.results) - len(failed)
    yield text(f"{held:,} of {count(len(tests.results), 'case')} hold")


def _failure(result: CaseResult) -> Iterator[tuple[str, str]]:
    place = f", in {result.environment}" if result.environment else ""
    yield "given", f"{result.given}{place}"
    yield "expected", " and ".join(result.expected)
    yield "found", " and ".join(result.found)
    if result.undetermined is not None:
        yield "undetermined", result.undetermined


def render_coverage(coverage: RuleCoverage, *, width: int, colour: bool) -> bytes:
    """The rules that never matched first, then the others with what they found."""
    return draw(_coverage(coverage), width=width, colour=colour)


def _coverage(coverage: RuleCoverage) -> Iterator[RenderableType]:
    idle = [use for use in coverage.rules if use.never_matched]
    span = "in this view" if coverage.runs is None else _span(coverage.runs)
    yield text(f"{len(idle)} of {count(len(coverage.rules), 'rule')} never matched {span}", "bold")
    table = grid("Rule", "Asked", "Found", "Not decided", "Runs")
    for use in (*idle, *(use for use in coverage.rules if not use.never_matched)):
        style = "dim" if use.never_matched else ""
        table.add_row(
            text(use.rule, style),
            text(count(use.asked, words(use.subject)), style),
            _found(use),
            text(f"{use.undetermined:,}" if use.undetermined else "", "magenta"),
            text(f"{use.matched_runs:,} of {use.runs:,}" if use.runs else "", style),
        )
    yield table
    if coverage.disabled:
        yield labelled("disabled", "dim", ", ".join(coverage.disabled))


def _span(runs: int) -> str:
    return f"in this view or in the {count(runs, 'run')} of the history"


def _found(use: RuleUse) -> Text:
    numbers = (
        (Severity.CRITICAL, use.critical),
        (Severity.WARNING, use.warning),
        (Severity.INFO, use.info),
    )
    parts = [text(f"{number:,} {grade}", STYLES[grade]) for grade, number in numbers if number]
    return Text(", ").join(parts) if parts else text("nothing", "dim")


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
