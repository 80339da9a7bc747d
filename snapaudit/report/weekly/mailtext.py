"""The text part of the weekly mail: for people who read plain mail, and for a telephone's preview.

In the order of the page, in lines of at most 76 columns where the words allow it.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator

from snapaudit.model.history import Change
from snapaudit.model.weekly import ListedSnapshot, StoreOutlook
from snapaudit.report import headline
from snapaudit.report.escape import columns, mail_text
from snapaudit.report.phrases import byte_range, count, days_old, evidences, moment, size
from snapaudit.report.phrases import share as percent
from snapaudit.report.phrases import words as spaced
from snapaudit.report.rows import subject_name
from snapaudit.report.terminal import bar
from snapaudit.report.weekly import bars, words
from snapaudit.report.weekly.mailed import Digest

_WIDTH = 76
_NAME = 60
_ARROWS = {"up": "▲ ", "down": "▼ "}


def text(digest: Digest) -> str:
    """The text, ending with a line end."""
    sections = (
        _verdict(digest),
        _section("Not seen", (f"- {line}" for line in digest.unseen)),
        _section("Key numbers", _numbers(digest)),
        _section("What changed", _changes(digest)),
        _section("Datastores by days to full", map(_store, digest.stores)),
        _section(digest.offenders_title, _offenders(digest)),
        _section("By owner", _owners(digest)),
        _section("Makeshift backups, by their looks", _suspects(digest)),
        _section("Announced, and when it is due", _due(digest)),
        _section("Cleaned up", _done(digest)),
        _section("Exemptions and holds to look at", _allowances(digest)),
        _end(digest),
    )
    return "\n".join("".join(f"{line}\n" for line in one) for one in map(tuple, sections) if one)


def _verdict(digest: Digest) -> Iterator[str]:
    check = digest.report.check
    yield digest.title
    yield ""
    yield from _wrapped(f"{headline.label(check.status)}: {headline.sentence(check)}")
    for line in (*words.lead(digest.report), *digest.report.remarks):
        yield from _wrapped(line)
    for one in headline.cautions(check.coverage):
        yield from _wrapped(one.line)


def _section(title: str, lines: Iterable[str]) -> Iterator[str]:
    """The lines below their title, wrapped; nothing where there are none."""
    found = [part for line in lines for part in _wrapped(line)]
    if found:
        yield title.upper()
        yield from found


def _wrapped(line: str) -> list[str]:
    """The line made harmless and broken between words; what continues it stands indented."""
    shown = mail_text(line)
    if columns(shown) <= _WIDTH:
        return [shown] if shown else []
    indent = " " * (2 if shown.startswith("- ") else 6 if shown.startswith("    ") else 0)
    return textwrap.wrap(
        shown, _WIDTH, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )


def _numbers(digest: Digest) -> Iterator[str]:
    for one in digest.report.numbers:
        label, value = words.LABELS[one.name], words.number(one, one.value)
        line = f"{label:<20} {value:>10}"
        if one.previous is not None:
            line += f"   {_ARROWS.get(words.direction(one), '')}{words.difference(one)}"
        yield line
        if digest.has_weeks:
            yield f"{'':<20} {bars.spark(one.samples)}"
    if digest.owner is None:
        yield words.against(digest.report)


def _changes(digest: Digest) -> Iterator[str]:
    for title, _, total, found in digest.changes:
        yield f"{title}: {total:,}"
        yield from map(_change, found)
        if total > len(found):
            yield f"  and {total - len(found):,} more"


def _change(one: Change) -> str:
    parts = [one.subject.endpoint]
    parts += [size(one.size_bytes)] if one.size_bytes is not None else []
    parts += [f"was {size(one.previous_size_bytes)}"] if one.previous_size_bytes is not None else []
    return f"- {_name(subject_name(one.subject))} ({', '.join(parts)})"


def _store(one: StoreOutlook) -> str:
    filled = words.fill(one)
    level = "fill unknown"
    if filled is not None:
        level = f"{bar(filled)} {percent(filled)} of {size(one.capacity_bytes)}"
    bought = words.after(one)
    then = f"; {bought} once what is offered is deleted" if bought else ""
    place = f"{_name(one.name)} ({one.endpoint})"
    return f"- {place}: {level}; {words.forecast(one.forecast)}{then}"


def _offenders(digest: Digest) -> Iterator[str]:
    now = digest.report.reported_at
    for one in digest.offenders:
        age, held = days_old(one.snapshot.created_at, now), size(one.snapshot.size_bytes)
        yield f"- {one.severity}: {_whose(digest, one)}: {age}, {held}"
        for found in one.findings:
            accepted = "exempt: " if found.exemption else ""
            yield f"    {accepted}{spaced(found.rule)}: {_line(evidences(found.evidence))}"
        if one.protections:
            yield f"    stays: {_line(one.protections[0])}"
        elif one.is_offered:
            yield f"    deleting it gives back {byte_range(one.snapshot.reclaimable_bytes)}"
    if digest.more_offenders:
        yield f"- and {digest.more_offenders:,} more with a finding"


def _whose(digest: Digest, one: ListedSnapshot) -> str:
    name = f"{_name(one.home.vm_name)} / {_name(one.snapshot.name)} ({one.home.endpoint}"
    if digest.owner is not None:
        return f"{name})"
    return f"{name}; {_name(one.owner.name or words.NOBODY_NAMED)})"


def _owners(digest: Digest) -> Iterator[str]:
    for one in digest.owners:
        held, back = size(one.size_bytes), byte_range(one.back)
        number = count(one.snapshots, "snapshot")
        yield f"- {_name(words.owner(one))}: {number}, {held}; deleting gives back {back}"
    more = len(digest.report.owners) - len(digest.owners)
    if digest.owners and more:
        yield f"- and {count(more, 'more owner')}"


def _suspects(digest: Digest) -> Iterator[str]:
    for one in digest.suspects:
        yield f"- {_whose(digest, one)}: score {one.score} of 100"
        yield from (f"    {_line(reason)}" for reason in one.reasons)


def _due(digest: Digest) -> Iterator[str]:
    for one in digest.due:
        if one.due_at is not None:
            yield f"- {_whose(digest, one)}: {words.waiting(one.due_at, digest.report.reported_at)}"


def _done(digest: Digest) -> Iterator[str]:
    deeds = digest.report.deeds
    if deeds:
        yield words.done(digest.report)
    for one in digest.deeds:
        name = _name(one.vm_name) + (f" / {_name(one.snapshot_name)}" if one.snapshot_name else "")
        yield f"- {name}: {spaced(one.event)}{f': {_line(one.reason)}' if one.reason else ''}"
    if len(deeds) > len(digest.deeds):
        yield f"- and {len(deeds) - len(digest.deeds):,} more in the journal"


def _allowances(digest: Digest) -> Iterator[str]:
    for one in digest.allowances:
        ends = f" {words.last_day(one.expires_at)}" if one.expires_at is not None else ""
        yield f"- {one.standing}{ends}: {one.kind} of {_name(one.owner)}: {_line(one.covers)}"


def _end(digest: Digest) -> Iterator[str]:
    report = digest.report
    if digest.note:
        yield from _wrapped(digest.note)
    if report.undetermined:
        number = count(len(report.undetermined), "question")
        yield from _wrapped(f"{number} could not be decided, for want of a fact.")
    yield from _wrapped(
        f"snapaudit {report.method.tool_version}, {count(report.method.rules, 'rule')} in force, "
        f"run of {moment(report.reported_at)}. What was not seen is never clean."
    )


def _name(name: str) -> str:
    return mail_text(name, _NAME)


def _line(said: str) -> str:
    return mail_text(said, 2 * _WIDTH)
