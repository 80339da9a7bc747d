"""Explanation for the terminal: a subject's facts, and every rule's answer with its numbers."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from snapaudit.model.explanation import (
    Enforcement,
    Explanation,
    KnownFact,
    Relation,
    RuleAnswer,
    Verdict,
    WeighedFact,
)
from snapaudit.model.finding import FactValue, Subject
from snapaudit.model.inventory import Snapshot
from snapaudit.model.policy import SubjectKind
from snapaudit.report import phrases
from snapaudit.report.accepted import owner, selected, why
from snapaudit.report.terminal import STYLES, draw, text, titled

_INDENT = (0, 1, 0, 2)
_ROOM_FOR_TWO = 110


def render_explanation(
    explanation: Explanation, snapshot: Snapshot | None, now: datetime, *, width: int, colour: bool
) -> bytes:
    """The page for one subject; ``snapshot`` adds its own facts."""
    return draw(_parts(explanation, snapshot, now, width), width=width, colour=colour)


def _grid() -> Table:
    table = Table.grid(padding=_INDENT)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    return table


def _parts(
    explanation: Explanation, snapshot: Snapshot | None, now: datetime, width: int
) -> Iterator[RenderableType]:
    subject = explanation.subject
    yield Text.assemble(text(subject.name, "bold"), text(f"  {_place(subject)}"))
    if explanation.unseen is not None:
        yield text(f"! {subject.endpoint} is {explanation.unseen}", "bold magenta")
    yield _facts(explanation, snapshot, now)
    if explanation.enforcement is not None:
        yield from _enforcement(explanation.enforcement)
    found = [one for one in explanation.answers if one.severity is not None]
    unsettled = [one for one in explanation.answers if one.undetermined and not one.severity]
    silent = [one for one in explanation.answers if not one.severity and not one.undetermined]
    yield from _section("Findings", [one for one in found if one.exemption is None], now)
    yield from _section("Accepted", [one for one in found if one.exemption is not None], now)
    yield from _section("Could not be decided", unsettled, now)
    yield from _section("Nothing found by", silent, now)
    yield from _known(explanation.facts, width)


def _place(subject: Subject) -> str:
    """``snapshot, web01 on kvm1``."""
    parts = [phrases.words(subject.kind)]
    of_machine = subject.vm_name is not None and subject.kind is not SubjectKind.VIRTUAL_MACHINE
    place = [subject.vm_name or ""] if of_machine else []
    place += [f"on {subject.endpoint}"] if subject.endpoint else []
    return ", ".join([*parts, *([" ".join(place)] if place else [])])


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
    for label, told in (*_purpose(explanation), *_standing(explanation, snapshot)):
        table.add_row(label, told)
    return table


def _purpose(explanation: Explanation) -> Iterator[tuple[Text, Text]]:
    purpose = explanation.purpose
    if purpose is not None:
        said = f"{phrases.words(purpose.purpose)} (score {purpose.score})"
        yield text("seems to be", "dim"), text(said)
        for reason in purpose.reasons:
            yield Text(), text(f"· {reason}")


def _standing(explanation: Explanation, snapshot: Snapshot | None) -> Iterator[tuple[Text, Text]]:
    """What stands between the subject and its removal: protections, holds and exemptions."""
    for protection in explanation.protections:
        yield text("protected", "magenta"), text(protection)
    if not explanation.protections and snapshot is not None:
        yield text("protected", "dim"), text("no")
    for hold in explanation.holds:
        yield text("held", "magenta"), text(hold)
    for near in explanation.exemptions:
        style = _NEAR[near.relation]
        said = Text.assemble(text(near.exemption.id, style), text(f" {near.sentence}"))
        yield text("exemption", style), said
        if near.relation is not Relation.MISSES:
            one = near.exemption
            yield Text(), text(f"{selected(one.selector)}; {owner(one)}: {why(one)}", "dim")


_NEAR = {
    Relation.ACCEPTS: "green",
    Relation.IDLE: "dim",
    Relation.ENDED: "yellow",
    Relation.MISSES: "dim",
}


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


def _section(title: str, answers: list[RuleAnswer], now: datetime) -> Iterator[RenderableType]:
    if not answers:
        return
    yield Text()
    yield text(title, "bold")
    for answer in answers:
        yield _answer(answer, now)


def _answer(answer: RuleAnswer, now: datetime) -> Table:
    style = STYLES[answer.severity] if answer.severity and not answer.exemption else ""
    grade = answer.severity or ("unknown" if answer.undetermined else "no")
    table = Table.grid(padding=_INDENT)
    table.add_column(width=9)
    table.add_column(overflow="fold")
    place = f"  [{answer.environment}]" if answer.environment else ""
    named = Text.assemble(text(answer.rule, style or "none"), text(f"  {answer.title}{place}"))
    table.add_row(text(str(grade), style), named)
    if answer.exemption is not None:
        table.add_row("", text(f"exempt: {answer.exemption}", "green"))
    if answer.due_at is not None:
        when = "since" if answer.due_at <= now else "from"
        noticed = answer.notice_at is not None and answer.notice_at <= now < answer.due_at
        left = f", in {phrases.duration(answer.due_at - now)}" if noticed else ""
        said = f"announced: may be acted on {when} {answer.due_at:%Y-%m-%d}{left}"
        table.add_row("", text(said, "cyan"))
    if answer.undetermined is not None and answer.severity is not None:
        table.add_row("", text(f"a worse level is open: {answer.undetermined}", "magenta"))
    for line in _reasons(answer):
        table.add_row("", line)
    return table


def _reasons(answer: RuleAnswer) -> Iterator[Text]:
    """Every comparison; where several make up a level, first what they add up to."""
    for level in answer.levels:
        comparisons = [one for one in answer.weighed if one.level == level.level]
        if len(comparisons) == 1:
            yield Text.assemble(f"{level.level}: ", _weighed(comparisons[0]))
            continue
        mark = "dim" if level.answer == "no" else ""
        yield text(f"{level.level}: {level.condition} → {level.answer}", mark)
        yield from (Text.assemble("  ", _weighed(one)) for one in comparisons)


def _weighed(one: WeighedFact) -> Text:
    found = _said(one.fact, one.value)
    if one.answer == "unknown":
        found = f"unknown ({one.reason})" if one.reason else "unknown"
    bound = _said(one.fact, one.bound)
    operator = phrases.words(one.operator)
    sentence = f"{phrases.words(one.fact)} is {found}; asked: {operator} {bound}"
    mark = "dim" if one.answer == "no" else ""
    return text(f"{sentence} → {one.answer}", mark)


def _known(facts: tuple[KnownFact, ...], width: int) -> Iterator[RenderableType]:
    """Every fact that a rule could ask, with its value; side by side where there is room."""
    beside = 2 if width >= _ROOM_FOR_TWO else 1
    for kind in dict.fromkeys(one.of for one in facts):
        cells = [_fact(one) for one in facts if one.of is kind]
        height = -(-len(cells) // beside)
        table = Table.grid(padding=_INDENT)
        for _ in range(beside):
            table.add_column(no_wrap=True)
            table.add_column(overflow="fold", ratio=1)
        for row in range(height):
            table.add_row(*(cell for pair in cells[row::height] for cell in pair))
        yield from titled(f"Facts about the {phrases.words(kind)}", table)


def _fact(one: KnownFact) -> tuple[Text, Text]:
    said = _typed(one.type, one.value)
    if one.reason is not None:
        known = f"at least {said}; " if one.value is not None else ""
        return text(one.name, "dim"), text(f"{known}unknown: {one.reason}", "magenta")
    return text(one.name, "dim"), text(said)


def _typed(kind: str, measured: FactValue) -> str:
    """The value in the unit that its type tells."""
    if kind == "size" and isinstance(measured, int):
        return phrases.size(measured)
    return _said(kind, measured)


def _said(fact: str, measured: FactValue) -> str:
    """A value or a bound; no time at all is told exactly, since bounds are often that."""
    if isinstance(measured, timedelta) and not measured:
        return "0 s"
    return phrases.value(fact, measured)
