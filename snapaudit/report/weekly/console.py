"""Console: the week for an administrator at a terminal, in the order of the page."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from snapaudit.model.check import Status
from snapaudit.model.history import Change
from snapaudit.model.weekly import WeeklyReport
from snapaudit.report.headline import cautions, label, not_seen, sentence
from snapaudit.report.phrases import byte_range, count, days_old, evidences, moment, share, size
from snapaudit.report.phrases import words as spelt
from snapaudit.report.rows import fold_questions, subject_name
from snapaudit.report.terminal import (
    NAME_COLUMNS,
    STYLES,
    bar,
    draw,
    grid,
    lines,
    text,
    titled,
    typed,
)
from snapaudit.report.weekly import picks, words
from snapaudit.report.weekly.bars import blocks

_MOST = 10
_VERDICT = {
    Status.OK: "bold green",
    Status.WARNING: "bold yellow",
    Status.CRITICAL: "bold red",
    Status.UNKNOWN: "bold magenta",
}


def render(report: WeeklyReport, *, width: int, colour: bool) -> bytes:
    """The report as text for a terminal of that many columns."""
    return draw(_parts(report), width=width, colour=colour)


def _parts(report: WeeklyReport) -> Iterator[RenderableType]:
    yield _verdict(report)
    yield from titled("Key numbers", _numbers(report))
    if report.changes is not None:
        yield from titled(f"Changes since {words.day(report.changes.since)}", _changes(report))
    for title, table in (
        ("Datastores by days to full", _stores(report)),
        ("Top offenders", _offenders(report)),
        ("Found besides snapshots", _beside(report)),
        ("By owner", _owners(report)),
        ("Makeshift backups, by their looks", _suspects(report)),
        ("Cleaning up: done and due", _deeds(report)),
        ("Exemptions and holds", _allowances(report)),
    ):
        if table.row_count:
            yield from titled(title, table)
    yield from titled("Errors and method", lines(*_method(report)))


def _verdict(report: WeeklyReport) -> Text:
    check = report.check
    first = Text.assemble((label(check.status), _VERDICT[check.status]), "  ", sentence(check))
    rest = [text(f"! {spot}", "bold magenta") for spot in not_seen(check.coverage)]
    rest += [text(f"! {one.line}", "bold yellow") for one in cautions(check.coverage)]
    rest += [text(line) for line in words.lead(report)]
    rest += [text(f"! {remark}", "bold yellow") for remark in report.remarks]
    rest += [text(f"Last run {moment(report.reported_at)}, {words.against(report)}.", "dim")]
    return lines(first, *rest)


def _numbers(report: WeeklyReport) -> Table:
    table = grid("", "Now", "Change", "12 weeks")
    for one in report.numbers:
        values = [sample.value for sample in one.samples]
        table.add_row(
            text(words.LABELS[one.name]),
            text(words.number(one, one.value), "bold"),
            text(words.difference(one)),
            text(blocks(values), "cyan"),
        )
    return table


def _changes(report: WeeklyReport) -> Table:
    table = grid("", "Subject", "On", "Size")
    diff = report.changes
    if diff is None:
        return table
    for word, found in (
        ("new", diff.new),
        ("worse", diff.worse),
        ("resolved", diff.resolved),
        ("grown", diff.grown),
        ("back", diff.back),
    ):
        for one in found[: _MOST // 2]:
            name = text(subject_name(one.subject), "", NAME_COLUMNS)
            table.add_row(word, name, text(one.subject.endpoint), text(_sizes(one)))
        if len(found) > _MOST // 2:
            table.add_row("", text(f"and {len(found) - _MOST // 2:,} more {word}", "dim"), "", "")
    for unseen in diff.unseen:
        table.add_row("unseen", text(unseen.reason), text(unseen.endpoint), "")
    return table


def _sizes(one: Change) -> str:
    if None not in (one.size_bytes, one.previous_size_bytes) and (
        one.size_bytes != one.previous_size_bytes
    ):
        return f"{size(one.previous_size_bytes)} to {size(one.size_bytes)}"
    if one.size_bytes is not None:
        return size(one.size_bytes)
    return "" if one.previous_size_bytes is None else f"was {size(one.previous_size_bytes)}"


def _stores(report: WeeklyReport) -> Table:
    table = grid("Datastore", "Outlook", "Full", "Deleting what is listed")
    for one in report.stores:
        full = words.fill(one)
        filled = text("unknown") if full is None else text(f"{bar(full)} {share(full)}")
        bought = words.after(one)
        back = text(words.gain(one.back))
        table.add_row(
            lines(text(one.name, "", NAME_COLUMNS), text(one.endpoint, "dim")),
            text(words.outlook(one)),
            lines(filled, text(f"{size(one.free_bytes)} free", "dim")),
            lines(back, *([text(f"then full in {bought}", "dim")] if bought else [])),
        )
    return table


def _offenders(report: WeeklyReport) -> Table:
    table = grid("Snapshot", "Age and size", "Findings", "Gives back")
    for one in picks.largest(report, _MOST):
        shot, gain = one.snapshot, one.snapshot.reclaimable_bytes
        owner = one.owner.name or words.NOBODY_NAMED
        found = [text(spelt(each.rule), STYLES[each.severity]) for each in one.findings]
        found += [text(f"protected: {reason}", "magenta") for reason in one.protections]
        table.add_row(
            lines(
                text(f"{one.home.vm_name} / {shot.name}", "", NAME_COLUMNS),
                text(f"{one.home.endpoint}, {owner}", "dim", NAME_COLUMNS),
            ),
            lines(
                text(days_old(shot.created_at, report.reported_at)),
                text(f"{size(shot.size_bytes)}, {one.depth} of {one.home.snapshots}", "dim"),
            ),
            lines(*found),
            lines(text(byte_range(gain)), text(words.certainty(gain), "dim")),
        )
    return table


def _beside(report: WeeklyReport) -> Table:
    table = grid("Subject", "What and why")
    found = picks.beside(report)
    for subject, many in found[:_MOST]:
        place = text(f"{spelt(subject.kind)} on {subject.endpoint}", "dim", NAME_COLUMNS)
        why = (
            text(f"{spelt(one.rule)}: {evidences(one.evidence)}", STYLES[one.severity])
            for one in many
        )
        name = text(subject_name(subject), "", NAME_COLUMNS)
        table.add_row(lines(name, place), lines(*why))
    _tell_more(table, len(found))
    return table


def _tell_more(table: Table, number: int) -> None:
    if number > _MOST:
        table.add_row(text(f"and {number - _MOST:,} more", "dim"))


def _owners(report: WeeklyReport) -> Table:
    table = grid("Owner", "Snapshots", "Held", "Oldest", "Gives back")
    for one in report.owners[:_MOST]:
        table.add_row(
            text(words.owner(one), STYLES[one.severity] if one.severity else "", NAME_COLUMNS),
            text(f"{one.snapshots:,}"),
            text(size(one.size_bytes)),
            text(days_old(one.oldest_at, report.reported_at)),
            text(byte_range(one.back)),
        )
    _tell_more(table, len(report.owners))
    return table


def _suspects(report: WeeklyReport) -> Table:
    table = grid("Snapshot", "Score", "Why")
    found = picks.suspect_machines(report)
    for many in found[:_MOST]:
        one = many[0]
        name = text(f"{one.home.vm_name} / {one.snapshot.name}", "", NAME_COLUMNS)
        more = [text(words.others(many), "dim")] if len(many) > 1 else []
        table.add_row(lines(name, *more), text(str(one.score)), text("; ".join(one.reasons)))
    _tell_more(table, len(found))
    return table


def _deeds(report: WeeklyReport) -> Table:
    table = grid("What", "When", "How it ended or is due")
    for one in report.deeds[:_MOST]:
        name = one.vm_name if one.snapshot_name is None else f"{one.vm_name} / {one.snapshot_name}"
        freed = f", {size(one.freed_bytes)} came back" if one.freed_bytes is not None else ""
        reason = f": {one.reason}" if one.reason else ""
        ended = text(f"{spelt(one.event)}{freed}{reason}")
        table.add_row(text(name, "", NAME_COLUMNS), text(moment(one.at)), ended)
    _tell_more(table, len(report.deeds))
    due = picks.due(report)
    for each in due[:_MOST]:
        name = f"{each.home.vm_name} / {each.snapshot.name}"
        due_at = each.due_at or report.reported_at
        said = f"may be deleted {words.waiting(due_at, report.reported_at)}"
        table.add_row(text(name, "", NAME_COLUMNS), text(moment(due_at)), text(said))
    _tell_more(table, len(due))
    return table


def _allowances(report: WeeklyReport) -> Table:
    table = grid("Covers", "Owner and reason", "Ends", "Standing")
    found = picks.attention(report)
    for one in found[:_MOST]:
        ends = words.last_day(one.expires_at) if one.expires_at is not None else "never"
        said = lines(text(one.owner), text(one.reason, "dim"))
        table.add_row(text(one.covers, "", NAME_COLUMNS), said, text(ends), text(one.standing))
    _tell_more(table, len(found))
    return table


def _method(report: WeeklyReport) -> Iterator[Text]:
    for one in fold_questions(report.undetermined)[:_MOST]:
        subjects = count(len(one.subjects), "subject")
        yield text(f"undecided: {one.rule} on {subjects}: {spelt(one.fact)}: {one.reason}")
    for unseen in report.unseen:
        yield from _unseen(unseen.endpoint, (f"{g.subject}: {g.reason}" for g in unseen.gaps))
        yield from _unseen(unseen.endpoint, (f"{g.subject}: {g.reason}" for g in unseen.doubts))
        yield from _unseen(unseen.endpoint, (f"never seen: {s}" for s in unseen.blind_spots))
    method = report.method
    off = ", ".join(method.disabled_rules) or "none"
    runs = count(method.runs, "remembered run")
    yield text(f"{count(method.rules, 'rule')} in force; switched off: {off}; {runs}.", "dim")
    if method.rules_digest:
        yield text(f"Policy digest {method.rules_digest}.", "dim")
    hint = typed("snapaudit", "report", "-f", "html", "-o", "weekly.html")
    yield text(f"The page: {hint}", "dim")


def _unseen(endpoint: str, said: Iterable[str]) -> Iterator[Text]:
    return (text(f"{endpoint}: {one}", "magenta") for one in said)
