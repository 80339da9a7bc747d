"""Markdown: an audit as tables for a wiki, a ticket or a merge request."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from snapaudit.model.finding import Audit, Evidence
from snapaudit.model.policy import Severity
from snapaudit.report.accepted import accepts, left, owner, selected, why
from snapaudit.report.escape import markdown_cell
from snapaudit.report.headline import label, method, seen, sentence, space
from snapaudit.report.phrases import byte_range, count, evidences, share, size, words
from snapaudit.report.rows import Question, Row, subject_name
from snapaudit.report.sections import BREAK, section
from snapaudit.report.stores import Store
from snapaudit.report.view import Blind, View, view

_EXAMPLES = 3


def render(audit: Audit) -> bytes:
    """The audit in the dialect of GitHub and GitLab; foreign text is never markup in it."""
    return "\n".join(_lines(view(audit))).encode() + b"\n"


def _lines(seen_view: View) -> Iterator[str]:
    yield from _opening(seen_view)
    yield from section("Datastores, most endangered first", _store_rows(seen_view.stores))
    for severity in reversed(Severity):
        rows = seen_view.of(severity)
        yield from section(
            f"{severity.capitalize()}: {count(len(rows), 'subject')}",
            _finding_rows(rows, seen_view.audit.audited_at),
        )
    accepted = seen_view.accepted
    yield from section(
        f"Exempt: {count(len(accepted), 'subject')}",
        _finding_rows(accepted, seen_view.audit.audited_at),
    )
    yield from section("Exemptions", _exemption_rows(seen_view.audit))
    yield from section("Makeshift backups, by their looks", _suspect_rows(seen_view))
    yield from section("Could not be decided", _question_rows(seen_view.questions))
    yield from section("Could not be read", _blind_rows(seen_view.gaps))
    yield from section("To be read with care", _blind_rows(seen_view.doubts))
    yield from section("Never seen this way", _blind_rows(seen_view.never_seen))
    yield from section("Coverage", _coverage_rows(seen_view.audit))
    yield from ("", markdown_cell(f"{method(seen_view.audit)}."))


def _opening(seen_view: View) -> Iterator[str]:
    audit, check = seen_view.audit, seen_view.check
    yield "# Snapshot audit"
    yield ""
    yield f"**{label(check.status)}**: {markdown_cell(sentence(check))}"
    yield ""
    for spot in seen_view.blind:
        yield f"- **not seen**: {markdown_cell(spot)}"
    for one in seen_view.cautions:
        yield f"- **{one.word}**: {markdown_cell(one.endpoint)}: {markdown_cell(one.sentence)}"
    yield f"- {markdown_cell(seen(audit))}"
    yield f"- {markdown_cell(space(audit))}"


def _store_rows(stores: tuple[Store, ...]) -> Iterator[tuple[str, ...]]:
    yield ("Datastore", "Full", "Free", "Held by snapshots", "Finding")
    for store in stores:
        found = [f"{one.severity}: {one.rule}" for one in store.findings]
        if not store.datastore.accessible:
            found.insert(0, "not accessible")
        yield (
            markdown_cell(f"{store.endpoint} / {store.datastore.name}"),
            share(store.fill_ratio),
            f"{size(store.datastore.free_bytes)} of {size(store.datastore.capacity_bytes)}",
            byte_range(store.held),
            BREAK.join(map(markdown_cell, found)),
        )


def _finding_rows(rows: tuple[Row, ...], now: datetime) -> Iterator[tuple[str, ...]]:
    yield ("Subject", "Endpoint", "What and why", "Gives back", "Note")
    for row in rows:
        why = (f"**{markdown_cell(one.rule)}**: {_proof(one.evidence)}" for one in row.findings)
        notes = [f"marked: {mark}" for mark in row.marks(now)]
        notes += [f"protected: {reason}" for reason in row.protections]
        notes += [f"exempt: {reason}" for reason in row.exemptions]
        yield (
            markdown_cell(subject_name(row.subject)),
            markdown_cell(row.subject.endpoint),
            BREAK.join(why),
            "" if row.gain is None else byte_range(row.gain),
            BREAK.join(map(markdown_cell, notes)),
        )


def _proof(evidence: tuple[Evidence, ...]) -> str:
    return markdown_cell(evidences(evidence))


def _exemption_rows(audit: Audit) -> Iterator[tuple[str, ...]]:
    yield ("Exemption", "Accepts", "Owner", "Until", "Reason")
    for one in audit.exemptions:
        what = (", ".join(one.rules), selected(one.selector), f"now: {accepts(one)}")
        until = (one.until, left(one, audit.audited_at))
        yield (
            markdown_cell(one.id),
            BREAK.join(map(markdown_cell, what)),
            markdown_cell(owner(one)),
            BREAK.join(map(markdown_cell, until)),
            markdown_cell(why(one)),
        )


def _suspect_rows(seen_view: View) -> Iterator[tuple[str, ...]]:
    yield ("Snapshot", "Score", "Reasons")
    for one in seen_view.suspects:
        name = seen_view.lookup.purpose_name(one)
        yield markdown_cell(name), str(one.score), BREAK.join(map(markdown_cell, one.reasons))


def _question_rows(questions: tuple[Question, ...]) -> Iterator[tuple[str, ...]]:
    yield ("Rule", "Unknown", "Why", "Subjects")
    for one in questions:
        names = [markdown_cell(subject_name(subject)) for subject in one.subjects[:_EXAMPLES]]
        more = len(one.subjects) - len(names)
        names += [f"and {more:,} more"] if more else []
        cells = (one.rule, words(one.fact), one.reason)
        yield (*map(markdown_cell, cells), BREAK.join(names))


def _blind_rows(found: tuple[Blind, ...]) -> Iterator[tuple[str, ...]]:
    yield ("Endpoint", "What", "Why")
    for one in found:
        yield tuple(map(markdown_cell, (one.endpoint, one.subject, one.reason)))


def _coverage_rows(audit: Audit) -> Iterator[tuple[str, ...]]:
    yield ("Endpoint", "State", "VMs", "Snapshots", "Reason")
    for one in audit.coverage:
        numbers = (f"{one.virtual_machines:,}", f"{one.snapshots:,}")
        name, reason = markdown_cell(one.endpoint), markdown_cell(one.reason or "")
        yield name, one.state, *numbers, reason
