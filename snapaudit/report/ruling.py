"""Ruling: the page about one rule: what it means, asks and proves, and what is accepted of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from rich.console import RenderableType
from rich.text import Text

from snapaudit.model.explanation import RuleExplanation
from snapaudit.model.policy import Rule
from snapaudit.model.rulebook import CaseResult
from snapaudit.report import modes
from snapaudit.report.exemptions import exemption_table, total
from snapaudit.report.rulebook import in_force
from snapaudit.report.terminal import draw, facts, text, titled

_HONOURED = "where the site allows it (honour_expiry), a last day in the snapshot's own text"


def render_rule(
    told: RuleExplanation, rule: Rule, now: datetime, *, width: int, colour: bool
) -> bytes:
    """Its text, its levels in each environment with their origins, its cases, its exemptions."""
    return draw(_parts(told, rule, now), width=width, colour=colour)


def _parts(told: RuleExplanation, rule: Rule, now: datetime) -> Iterator[RenderableType]:
    yield Text.assemble(text(told.rule, "bold"), text(f"  {told.title}"))
    if told.is_disabled:
        yield text("! switched off in the configuration: it finds nothing", "bold yellow")
    yield facts(_said(told, rule))
    yield from in_force(told.resolved)
    if told.cases:
        held = sum(case.holds for case in told.cases)
        table = facts((_verdict(case), _case(case)) for case in told.cases)
        yield from titled(f"Cases: {held} of {len(told.cases)} hold", table)
    if told.exemptions:
        title = total(told.exemptions).capitalize()
        yield from titled(title, exemption_table(told.exemptions, now))


def _said(told: RuleExplanation, rule: Rule) -> Iterator[tuple[str, str]]:
    yield "why", told.why
    yield "to do", told.fix
    yield "remedy", modes.remedy(rule)
    yield "mode", modes.sentence(rule)
    if told.honours_expiry:
        yield "honours", _HONOURED
    yield "stands in", told.resolved.origin


def _verdict(case: CaseResult) -> str:
    return "holds" if case.holds else "FAILS"


def _case(case: CaseResult) -> str:
    place = f" in {case.environment}" if case.environment else ""
    said = f"{case.given}{place}: {' and '.join(case.expected)}"
    return said if case.holds else f"{said}, found {' and '.join(case.found)}"
