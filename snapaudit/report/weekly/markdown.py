"""Markdown: the week as tables for a wiki, a ticket or a merge request."""

from __future__ import annotations

from collections.abc import Iterator

from snapaudit.model.history import Change
from snapaudit.model.weekly import WeeklyReport
from snapaudit.report.escape import markdown_cell as cell
from snapaudit.report.headline import cautions, label, not_seen, sentence
from snapaudit.report.phrases import byte_range, count, days_old, evidences, moment, share, size
from snapaudit.report.phrases import words as spelt
from snapaudit.report.rows import fold_questions, subject_name
from snapaudit.report.sections import BREAK, section
from snapaudit.report.weekly import bars, picks, words

_MOST = 25
_ARROWS = {"up": "▲", "down": "▼", "same": "=", "none": ""}


def render(report: WeeklyReport) -> bytes:
    """The report in the dialect of GitHub and GitLab; foreign text is never markup in it."""
    return "\n".join(_lines(report)).encode() + b"\n"


def _lines(report: WeeklyReport) -> Iterator[str]:
    yield from _opening(report)
    yield from section("Key numbers", _numbers(report))
    yield from _changes(report)
    yield from section("Datastores by days to full", _stores(report))
    yield from section("Top offenders", _offenders(report))
    yield from section("Found besides snapshots", _beside(report))
    yield from section("By owner", _owners(report))
    yield from section("Makeshift backups, by their looks", _suspects(report))
    yield from section("Cleaning up: done", _deeds(report))
    yield from section("Cleaning up: announced", _due(report))
    yield from section("Exemptions and holds", _allowances(report))
    yield from section("Could not be decided", _questions(report))
    yield from section("Not seen, or with care", _unseen(report))
    yield from section("Coverage", _coverage(report))
    yield from _method(report)


def _opening(report: WeeklyReport) -> Iterator[str]:
    yield f"# Snapshots in the week to {words.day(report.reported_at)}"
    yield ""
    yield f"**{label(report.check.status)}**: {cell(sentence(report.check))}"
    yield ""
    for spot in not_seen(report.check.coverage):
        yield f"- **not seen**: {cell(spot)}"
    for one in cautions(report.check.coverage):
        yield f"- **{one.word}**: {cell(one.endpoint)}: {cell(one.sentence)}"
    for line in (*words.lead(report), *report.remarks):
        yield f"- {cell(line)}"
    yield f"- Last run {moment(report.reported_at)}, {words.against(report)}"


def _numbers(report: WeeklyReport) -> Iterator[tuple[str, ...]]:
    yield ("", "Now", "Change", "12 weeks")
    for one in report.numbers:
        arrow = _ARROWS[words.direction(one)]
        change = f"{arrow} {words.difference(one)}".strip()
        values = [sample.value for sample in one.samples]
        yield (words.LABELS[one.name], words.number(one, one.value), change, bars.blocks(values))


def _changes(report: WeeklyReport) -> Iterator[str]:
    diff = report.changes
    if diff is None:
        return
    groups = (
        ("New", diff.new),
        ("Worse", diff.worse),
        ("Resolved", diff.resolved),
        ("Grown", diff.grown),
        ("Back again", diff.back),
    )
    for title, found in groups:
        yield from section(f"{title}: {len(found)}", _changed(found))
    for one in diff.unseen:
        yield from ("", cell(f"{one.endpoint}: {one.reason}."))


def _changed(found: tuple[Change, ...]) -> Iterator[tuple[str, ...]]:
    yield ("Subject", "Endpoint", "Rules", "Size", "Before")
    for one in found[:_MOST]:
        sizes = (one.size_bytes, one.previous_size_bytes)
        yield (
            cell(subject_name(one.subject)),
            cell(one.subject.endpoint),
            cell(", ".join(one.rules)),
            *("" if each is None else size(each) for each in sizes),
        )
    yield from _more(len(found), 5)


def _more(number: int, columns: int) -> Iterator[tuple[str, ...]]:
    if number > _MOST:
        yield (f"and {number - _MOST:,} more", *[""] * (columns - 1))


def _stores(report: WeeklyReport) -> Iterator[tuple[str, ...]]:
    yield ("Datastore", "Outlook", "Full", "Free", "Held", "Deleting gives back", "Then")
    for one in report.stores:
        yield (
            cell(f"{one.endpoint} / {one.name}"),
            words.outlook(one),
            share(words.fill(one)),
            f"{size(one.free_bytes)} of {size(one.capacity_bytes)}",
            byte_range(one.held),
            words.gain(one.back),
            words.after(one) or "",
        )


def _offenders(report: WeeklyReport) -> Iterator[tuple[str, ...]]:
    yield ("Snapshot", "Owner", "Age", "Size", "Chain", "Findings", "Gives back", "Protected")
    for one in picks.largest(report, _MOST):
        gain = one.snapshot.reclaimable_bytes
        yield (
            cell(f"{one.home.endpoint}: {one.home.vm_name} / {one.snapshot.name}"),
            cell(one.owner.name or words.NOBODY_NAMED),
            days_old(one.snapshot.created_at, report.reported_at),
            size(one.snapshot.size_bytes),
            f"{one.depth} of {one.home.snapshots}",
            BREAK.join(cell(f"{each.severity}: {each.rule}") for each in one.findings),
            words.gain(gain),
            BREAK.join(map(cell, one.protections)),
        )


def _beside(report: WeeklyReport) -> Iterator[tuple[str, ...]]:
    yield ("Subject", "Endpoint", "What and why")
    found = picks.beside(report)
    for subject, many in found[:_MOST]:
        why = (f"{one.severity}: {one.rule}: {evidences(one.evidence)}" for one in many)
        yield cell(subject_name(subject)), cell(subject.endpoint), BREAK.join(map(cell, why))
    yield from _more(len(found), 3)


def _owners(report: WeeklyReport) -> Iterator[tuple[str, ...]]:
    yield ("Owner", "Snapshots", "Held", "Oldest", "Worst", "Gives back")
    for one in report.owners[:_MOST]:
        yield (
            cell(words.owner(one)),
            f"{one.snapshots:,}",
            size(one.size_bytes),
            days_old(one.oldest_at, report.reported_at),
            one.severity or "",
            words.gain(one.back),
        )
    yield from _more(len(report.owners), 6)


def _suspects(report: WeeklyReport) -> Iterator[tuple[str, ...]]:
    yield ("Snapshot", "Owner", "Score", "Reasons")
    found = picks.suspect_machines(report)
    for many in found[:_MOST]:
        one = many[0]
        name = f"{one.home.endpoint}: {one.home.vm_name} / {one.snapshot.name}"
        more = words.others(many)
        yield (
            f"{cell(name)}{BREAK}{more}" if more else cell(name),
            cell(one.owner.name or words.NOBODY_NAMED),
            str(one.score),
            BREAK.join(map(cell, one.reasons)),
        )
    yield from _more(len(found), 4)


def _deeds(report: WeeklyReport) -> Iterator[tuple[str, ...]]:
    yield ("At", "What", "How it ended", "Came back", "Why")
    for one in report.deeds[:_MOST]:
        what = f"{one.endpoint}: {one.vm_name}"
        yield (
            moment(one.at),
            cell(what if one.snapshot_name is None else f"{what} / {one.snapshot_name}"),
            spelt(one.event),
            size(one.freed_bytes) if one.freed_bytes is not None else "not measured",
            cell(one.reason),
        )
    yield from _more(len(report.deeds), 5)


def _due(report: WeeklyReport) -> Iterator[tuple[str, ...]]:
    yield ("Snapshot", "Owner", "Due", "Gives back")
    found = picks.due(report)
    for one in found[:_MOST]:
        due_at = one.due_at or report.reported_at
        yield (
            cell(f"{one.home.endpoint}: {one.home.vm_name} / {one.snapshot.name}"),
            cell(one.owner.name or words.NOBODY_NAMED),
            words.waiting(due_at, report.reported_at),
            byte_range(one.snapshot.reclaimable_bytes),
        )
    yield from _more(len(found), 4)


def _allowances(report: WeeklyReport) -> Iterator[tuple[str, ...]]:
    yield ("Covers", "Kind", "Owner", "Reason", "Ends", "Standing")
    found = picks.attention(report)
    for one in found[:_MOST]:
        ends = words.last_day(one.expires_at) if one.expires_at is not None else "never"
        names = (one.covers, f"{one.kind} {one.id}", one.owner, one.reason)
        yield (*map(cell, names), ends, one.standing)
    yield from _more(len(found), 6)


def _questions(report: WeeklyReport) -> Iterator[tuple[str, ...]]:
    yield ("Rule", "Unknown", "Why", "Subjects")
    for one in fold_questions(report.undetermined)[:_MOST]:
        cells = (one.rule, spelt(one.fact), one.reason)
        yield (*map(cell, cells), count(len(one.subjects), "subject"))


def _unseen(report: WeeklyReport) -> Iterator[tuple[str, ...]]:
    yield ("Endpoint", "What", "Why")
    for one in report.unseen:
        for gap in (*one.gaps, *one.doubts):
            yield tuple(map(cell, (one.endpoint, gap.subject, gap.reason)))
        for spot in one.blind_spots:
            yield cell(one.endpoint), "never seen this way", cell(spot)


def _coverage(report: WeeklyReport) -> Iterator[tuple[str, ...]]:
    yield ("Endpoint", "State", "VMs", "Snapshots", "Reason")
    for one in report.check.coverage:
        numbers = (f"{one.virtual_machines:,}", f"{one.snapshots:,}")
        yield cell(one.endpoint), one.state, *numbers, cell(one.reason or "")


def _method(report: WeeklyReport) -> Iterator[str]:
    method = report.method
    off = ", ".join(method.disabled_rules) or "none"
    yield from ("", "## Method", "")
    yield f"- {count(method.rules, 'rule')} in force; switched off: {cell(off)}"
    if method.rules_digest:
        yield f"- policy digest {method.rules_digest}"
    yield f"- snapaudit {method.tool_version}, {count(method.runs, 'remembered run')}"
    yield f"- held by snapshots: {cell(method.held_basis)}"
    yield f"- what comes back: {cell(method.back_basis)}. No byte counts twice"
