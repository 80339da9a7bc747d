"""Explanation for the terminal: a subject's facts, and every rule's answer with its numbers."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from snapaudit.model.explanation import (
    Enforcement,
    Explanation,
    RuleAnswer,
    Verdict,
    WeighedFact,
)
from snapaudit.model.inventory import Snapshot
from snapaudit.model.policy import Rule
from snapaudit.report import modes, phrases
from snapaudit.report.terminal import STYLES, draw, facts, text

_INDENT = (0, 1, 0, 2)


def render_explanation(
    explanation: Explanation, snapshot: Snapshot | None, now: datetime, *, width: int, colour: bool
) -> bytes:
    """The page for one subject; ``snapshot`` adds its own facts."""
    return draw(_parts(explanation, snapshot, now), width=width, colour=colour)


def render_rule(rule: Rule, *, width: int, colour: bool) -> bytes:
    """The page for one rule: what it means, and what to do about it."""
    said = (
        ("why", rule.why),
        ("to do", rule.fix),
        ("remedy", modes.remedy(rule)),
        ("mode", modes.sentence(rule)),
        ("stands in", rule.source.source),
    )
    title = Text.assemble(text(rule.id, "bold"), text(f"  {rule.title}"))
    return draw((title, facts(said)), width=width, colour=colour)


def _grid() -> Table:
    table = Table.grid(padding=_INDENT)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    return table


def _parts(
    explanation: Explanation, snapshot: Snapshot | None, now: datetime
) -> Iterator[RenderableType]:
    subject = explanation.subject
    place = f"{subject.vm_name} on " if snapshot is not None else ""
    kind = phrases.words(subject.kind)
    yield Text.assemble(text(subject.name, "bold"), text(f"  {kind}, {place}{subject.endpoint}"))
    yield _facts(explanation, snapshot, now)
    if explanation.enforcement is not None:
        yield from _enforcement(explanation.enforcement)
    matched = [one for one in explanation.answers if one.severity is not None]
    unsettled = [one for one in explanation.answers if one.undetermined and not one.severity]
    silent = [one for one in explanation.answers if one not in (*matched, *unsettled)]
    yield from _section("Findings", matched)
    yield from _section("Could not be decided", unsettled)
    yield from _section("Nothing found by", silent)


_FORESEEN = {
    Verdict.PLANNED: ("`snapaudit enforce` would plan it", "yellow"),
    Verdict.REFUSED: ("`snapaudit enforce` would refuse it", "magenta"),
    Verdict.KEPT: ("`snapaudit enforce` would keep it", "green"),
}


def _enforcement(one: Enforcement) -> Iterator[RenderableType]:
    sentence, style = _FORESEEN[one.verdict]
    table = _grid()
    guard = "because" if one.guard is None else str(one.guard)
    for reason in one.reasons:
        table.add_row(text(guard, "dim"), text(reason))
    for reason in one.over_limit:
        table.add_row(text("over a limit", "dim"), text(f"the plan would be: {reason}"))
    yield Text()
    yield text(sentence, style)
    yield table


def _facts(explanation: Explanation, snapshot: Snapshot | None, now: datetime) -> Table:
    table = _grid()
    for name, said in _snapshot_facts(snapshot, now) if snapshot is not None else ():
        table.add_row(text(name, "dim"), text(said))
    if explanation.purpose is not None:
        purpose = explanation.purpose
        said = f"{phrases.words(purpose.purpose)} (score {purpose.score})"
        table.add_row(text("seems to be", "dim"), text(said))
        for reason in purpose.reasons:
            table.add_row("", text(f"· {reason}"))
    for protection in explanation.protections:
        table.add_row(text("protected", "magenta"), text(protection))
    if not explanation.protections and snapshot is not None:
        table.add_row(text("protected", "dim"), text("no"))
    return table


def _snapshot_facts(snapshot: Snapshot, now: datetime) -> Iterator[tuple[str, str]]:
    if snapshot.description:
        yield "description", snapshot.description
    memory = {True: ", with memory", False: "", None: ", memory unknown"}[snapshot.has_memory]
    yield "kind", f"{snapshot.kind}, machine {snapshot.power_state}{memory}"
    taken = phrases.moment(snapshot.created_at) if snapshot.created_at else "unknown"
    yield "taken", f"{taken} ({phrases.age(snapshot.created_at, now)})"
    yield "stands on", snapshot.parent_id or "nothing: it is a root"
    yield "size", phrases.size(snapshot.size_bytes)
    gain = snapshot.reclaimable_bytes
    yield "gives back", f"{phrases.byte_range(gain)} ({gain.basis})"


def _section(title: str, answers: list[RuleAnswer]) -> Iterator[RenderableType]:
    if not answers:
        return
    yield Text()
    yield text(title, "bold")
    for answer in answers:
        yield _answer(answer)


def _answer(answer: RuleAnswer) -> Table:
    style = STYLES[answer.severity] if answer.severity else ""
    grade = answer.severity or ("unknown" if answer.undetermined else "no")
    table = Table.grid(padding=_INDENT)
    table.add_column(width=9)
    table.add_column(overflow="fold")
    place = f"  [{answer.environment}]" if answer.environment else ""
    named = Text.assemble(text(answer.rule, style or "none"), text(f"  {answer.title}{place}"))
    table.add_row(text(str(grade), style), named)
    for one in answer.weighed:
        table.add_row("", _weighed(one))
    return table


def _weighed(one: WeighedFact) -> Text:
    found = phrases.value(one.fact, one.value)
    if one.answer == "unknown":
        found = f"unknown ({one.reason})" if one.reason else "unknown"
    bound = phrases.value(one.fact, one.bound)
    operator = phrases.words(one.operator)
    sentence = f"{one.level}: {phrases.words(one.fact)} is {found}; asked: {operator} {bound}"
    mark = "dim" if one.answer == "no" else ""
    return text(f"{sentence} → {one.answer}", mark)
