"""Console: an audit for an administrator at a terminal. The worst is at the top."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from snapaudit.model.check import Check, Status
from snapaudit.model.finding import Audit, EndpointCoverage
from snapaudit.model.inventory import CoverageState
from snapaudit.model.policy import Severity, SubjectKind
from snapaudit.report.exemptions import exemption_table, total
from snapaudit.report.headline import label, method, seen, sentence, space
from snapaudit.report.phrases import byte_range, count, evidences, share, size, words
from snapaudit.report.rows import Question, Row, subject_name, subject_place
from snapaudit.report.stores import Store
from snapaudit.report.terminal import (
    NAME_COLUMNS,
    STYLES,
    bar,
    draw,
    examples,
    grid,
    labelled,
    lines,
    text,
    titled,
    typed,
)
from snapaudit.report.view import Blind, View, view

_VERDICT = {
    Status.OK: "bold green",
    Status.WARNING: "bold yellow",
    Status.CRITICAL: "bold red",
    Status.UNKNOWN: "bold magenta",
}
_GAIN_COLUMNS = 16


def render(audit: Audit, *, width: int, colour: bool) -> bytes:
    """The audit as text for a terminal of that many columns."""
    return draw(_parts(view(audit)), width=width, colour=colour)


def _parts(seen_view: View) -> Iterator[RenderableType]:
    yield _verdict(seen_view)
    if seen_view.stores:
        yield from titled("Datastores, most endangered first", _stores(seen_view.stores))
    for severity in reversed(Severity):
        rows = seen_view.of(severity)
        if rows:
            title = f"{severity.upper()}: {count(len(rows), 'subject')}"
            yield from titled(title, _rows(rows, STYLES[severity], seen_view.audit.audited_at))
    yield from _accepted(seen_view)
    if seen_view.questions:
        yield from titled("Could not be decided", _questions(seen_view.questions))
    yield from _blind_parts("Could not be read", seen_view.gaps)
    yield from _blind_parts("To be read with care", seen_view.doubts)
    yield from _blind_parts("Never seen this way", seen_view.never_seen)
    yield from titled("Coverage", _coverage(seen_view.audit.coverage))
    yield from _closing(seen_view)


def _accepted(seen_view: View) -> Iterator[RenderableType]:
    """What is accepted, and by which exemptions: counted, and never out of sight."""
    now, exemptions = seen_view.audit.audited_at, seen_view.audit.exemptions
    if seen_view.accepted:
        title = f"EXEMPT: {count(len(seen_view.accepted), 'subject')}"
        yield from titled(title, _rows(seen_view.accepted, "green", now))
    if exemptions:
        title = total(exemptions).capitalize()
        yield from titled(title, exemption_table(exemptions, now))


def _verdict(seen_view: View) -> Text:
    check: Check = seen_view.check
    first = Text.assemble((label(check.status), _VERDICT[check.status]), "  ", sentence(check))
    rest = [text(f"! {spot}", "bold magenta") for spot in seen_view.blind]
    rest += [text(f"! {one.line}", "bold yellow") for one in seen_view.cautions]
    rest += [text(seen(seen_view.audit)), text(space(seen_view.audit))]
    return lines(first, *rest)


def _stores(stores: tuple[Store, ...]) -> Table:
    table = grid("Datastore", "Full", "Free", "Held by\nsnapshots", "Finding")
    for store in stores:
        style = STYLES[store.severity] if store.severity else ""
        name = text(f"{store.endpoint} / {store.datastore.name}", style, NAME_COLUMNS)
        cells = (_fill(store, style), _free(store), _held(store), _store_findings(store))
        table.add_row(name, *cells)
    return table


def _fill(store: Store, style: str) -> Text:
    if store.fill_ratio is None:
        return text("unknown")
    return Text(f"{bar(store.fill_ratio)}\n{share(store.fill_ratio)}", style=style)


def _free(store: Store) -> Text:
    free, capacity = store.datastore.free_bytes, store.datastore.capacity_bytes
    return lines(text(size(free)), text(f"of {size(capacity)}", "dim"))


def _held(store: Store) -> Text:
    held = text(byte_range(store.held))
    return lines(held, text(share(store.held_ratio), "dim")) if store.held_ratio else held


def _store_findings(store: Store) -> Text:
    found = [
        text(f"{one.severity}: {words(one.rule)}", STYLES[one.severity]) for one in store.findings
    ]
    if not store.datastore.accessible:
        found.insert(0, text("not accessible", "bold magenta"))
    return lines(*found)


def _rows(rows: tuple[Row, ...], style: str, now: datetime) -> Table:
    table = grid()
    table.expand = True
    table.add_column("Subject", overflow="fold", ratio=2)
    table.add_column("What and why", overflow="fold", ratio=3)
    table.add_column("Gives back", overflow="fold", justify="right", width=_GAIN_COLUMNS)
    for row in rows:
        name = text(subject_name(row.subject), style, NAME_COLUMNS)
        place = text(subject_place(row.subject), "dim", NAME_COLUMNS)
        table.add_row(lines(name, place), _why(row, now), _gain(row))
    return table


def _why(row: Row, now: datetime) -> Text:
    parts = [
        labelled(
            one.rule, "dim" if one.exemption else STYLES[one.severity], evidences(one.evidence)
        )
        for one in row.findings
    ]
    parts += [text(f"marked: {mark}", "cyan") for mark in row.marks(now)]
    parts += [text(f"protected: {reason}", "magenta") for reason in row.protections]
    parts += [text(f"exempt: {reason}", "green") for reason in row.exemptions]
    return lines(*parts)


def _gain(row: Row) -> Text:
    return text("" if row.gain is None else byte_range(row.gain), "dim" if row.protections else "")


def _questions(questions: tuple[Question, ...]) -> Table:
    table = grid("Rule", "Why not", "Subjects")
    for one in questions:
        reason = lines(text(f"{words(one.fact)} is unknown"), text(one.reason, "dim"))
        table.add_row(text(one.rule), reason, examples([*map(subject_name, one.subjects)]))
    return table


def _blind_parts(title: str, found: tuple[Blind, ...]) -> Iterator[RenderableType]:
    if not found:
        return
    table = grid("Endpoint", "What", "Why")
    for one in found:
        table.add_row(text(one.endpoint), text(one.subject), text(one.reason))
    yield from titled(f"{title} ({len(found)})", table)


def _coverage(coverage: tuple[EndpointCoverage, ...]) -> Table:
    table = grid("Endpoint", "State", "VMs", "Snapshots", "Reason")
    for one in coverage:
        style = "" if one.state is CoverageState.COMPLETE else "bold magenta"
        state = text(one.state, style)
        numbers = (text(f"{one.virtual_machines:,}"), text(f"{one.snapshots:,}"))
        table.add_row(text(one.endpoint), state, *numbers, text(one.reason or ""))
    return table


def _closing(seen_view: View) -> Iterator[RenderableType]:
    audit = seen_view.audit
    undecided = count(audit.summary.undetermined, "question")
    yield Text()
    yield text(f"{method(audit)}; {undecided} left open.", "dim")
    hints = list(_hints(seen_view.rows))
    if hints:
        yield lines(Text("Next:", style="bold"), *(text(f"  {hint}") for hint in hints))


def _hints(rows: tuple[Row, ...]) -> Iterator[str]:
    for row in rows:
        command = typed("snapaudit", "explain", f"{row.subject.vm_name}/{row.subject.name}")
        if row.subject.kind is SubjectKind.SNAPSHOT and command:
            yield command
            break
    rule = typed("snapaudit", "explain", rows[0].findings[0].rule) if rows else None
    if rule:
        yield rule
