"""``snapaudit journal``: what was meant, sent and seen, and what a person says had become of it."""

from __future__ import annotations

import secrets
import sys
from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated

import typer
from typer import Argument, Option

from snapaudit.app.gather import settings_of
from snapaudit.cli.asking import confirm
from snapaudit.cli.exits import Exit
from snapaudit.cli.options import Common, clock, terminal_width, use_colour, with_common
from snapaudit.cli.reading import secret_of_account
from snapaudit.cli.who import user
from snapaudit.cli.writing import targets, write
from snapaudit.codec.documents import to_document
from snapaudit.codec.strict import pretty
from snapaudit.enforce.course import Course
from snapaudit.enforce.journal import Journal, Record, read_journal
from snapaudit.enforce.lock import Lock
from snapaudit.enforce.state import State, prepare
from snapaudit.errors import UsageError
from snapaudit.model.acting import Call
from snapaudit.model.journal import Draft, Entry, Event
from snapaudit.model.plan import Action
from snapaudit.report.escape import plain

FORMATS = ("table", "json")
JOURNAL_SCHEMA = "snapaudit/journal@1"


class ByHand(StrEnum):
    """What a person may say had become of an action."""

    DONE = "done"
    NO_EFFECT = "no-effect"
    ABANDONED = "abandoned"


def commands() -> typer.Typer:
    """The commands below ``journal``."""
    tree = typer.Typer(
        no_args_is_help=True, rich_markup_mode=None, help="What was meant, sent and seen."
    )
    tree.command("list")(_list)
    tree.command("show")(_show)
    tree.command("verify")(_verify)
    tree.command("resolve")(_resolve)
    return tree


@with_common
def _list(
    common: Common,
    last: Annotated[
        int, Option(min=0, help="Only so many of the latest entries; 0: all.", metavar="N")
    ] = 50,
) -> int:
    """List the latest entries, oldest first.

    Example: snapaudit journal list --last 200
    """
    where = targets(common.format, common.output or (), FORMATS, "table")
    entries = read_journal(_state(common)).entries
    shown = entries[-last:] if last else entries
    write(where, lambda form: _entries(common, shown, len(entries) - len(shown), form))
    return Exit.DONE


@with_common
def _show(
    common: Common,
    name: Annotated[str, Argument(help="An action, a plan or a run.", metavar="ID")],
) -> int:
    """Show every entry of an action, a plan or a run with all that it says.

    Example: snapaudit journal show 7c1d2e9f
    """
    where = targets(common.format, common.output or (), FORMATS, "table")
    entries = read_journal(_state(common)).entries
    found = [one for one in entries if name in (one.action_id, one.plan_id, one.run_id)]
    if not found:
        raise UsageError(f"the journal knows no action, plan or run {name!r}")
    write(where, lambda form: _course(common, found, form))
    return Exit.DONE


@with_common
def _verify(common: Common) -> int:
    """Check every line and hash of the journal, and say what is not settled.

    It proves that nothing was edited. That no entry is missing at the end is proven by a head that
    was written down elsewhere: compare it with the one shown here.

    Example: snapaudit journal verify
    """
    where = targets(common.format, common.output or (), FORMATS, "table")
    record = read_journal(_state(common))
    write(where, lambda form: _verdict(record, form))
    return Exit.DONE


@with_common
def _resolve(
    common: Common,
    action: Annotated[
        str, Argument(help="The action, as 'journal verify' names it.", metavar="ID")
    ],
    outcome: Annotated[
        ByHand,
        Option(
            help="done: it had happened; no-effect: it had not, and may be tried again;"
            " abandoned: leave it as it stands.",
        ),
    ],
    reason: Annotated[str, Option(help="What was looked at, and seen.", metavar="TEXT")],
    stop_merge: Annotated[
        bool,
        Option(
            "--stop-merge",
            help="With abandoned: first stop the merge that still runs. The machine goes on"
            " unchanged; the snapshot is no longer fit to be reverted to.",
        ),
    ] = False,
) -> int:
    """Say what had become of an action that nobody knows the end of.

    Look at the machine first: its snapshots, its disks and their chains. What is said here is
    believed, and written down with your name.

    Example: snapaudit journal resolve 7c1d2e9f --outcome done --reason "chain is flat, guest runs"
    Example: snapaudit journal resolve 7c1d2e9f --outcome abandoned --stop-merge --reason "too slow"
    """
    if not reason.strip():
        raise UsageError("--reason is empty: say what was looked at, and what was seen")
    if stop_merge and outcome is not ByHand.ABANDONED:
        raise UsageError("--stop-merge goes with --outcome abandoned alone")
    state = _state(common)
    _open_course(read_journal(state), action)  # told before anything is created
    prepare(state)
    with Lock(state, clock()), Journal(state, clock) as journal:
        course = _open_course(journal, action)
        if stop_merge:
            return _stopped(common, journal, course, reason)
        detail = {"outcome": str(outcome), "reason": reason, "by": user()}
        entry = journal.append(
            Draft(
                run_id=f"by-hand-{secrets.token_hex(4)}",
                plan_id=course.plan_id,
                event=Event.RESOLVED,
                action_id=course.action_id,
                detail=detail,
            )
        )
        journal.mark_head()
    said = f"action {course.action_id} is settled: {outcome} (entry {entry.seq})"
    sys.stdout.write(f"{plain(said)}\n")
    return Exit.DONE


def _stopped(common: Common, journal: Journal, course: Course, reason: str) -> int:
    from snapaudit.app.stopping import Person, stop_merge
    from snapaudit.enforce.stopping import FROZEN

    def ask(action: Action, stop: Call) -> None:
        disk = stop.about.get("disk")
        what = plain(f"{action.vm_name}/{action.snapshot_name or 'disks'} (disk {disk})")
        confirm(
            common,
            f"Stop the merge of {what}? The machine goes on as it is;\n{FROZEN}.",
            without="--stop-merge asks before it acts, and there is no terminal: add --yes",
        )

    person = Person(name=user(), reason=reason, ask=ask)
    settings = settings_of(common.request())
    unknown = stop_merge(settings, journal, course, person, secret_of_account)
    journal.mark_head()
    if unknown is not None:
        sys.stderr.write(plain(f"action {course.action_id} is not settled: {unknown}") + "\n")
        return Exit.ACTION_FAILED
    sys.stdout.write(plain(f"the merge is stopped, action {course.action_id} abandoned") + "\n")
    sys.stdout.write(plain(f"careful: {FROZEN}") + "\n")
    return Exit.DONE


def _open_course(journal: Record, action: str) -> Course:
    courses = journal.courses(action)
    if not courses:
        raise UsageError(f"the journal knows no action {action!r}")
    still_open = [course for course in courses if course.is_open]
    if not still_open:
        last = courses[-1].last
        raise UsageError(f"action {action!r} needs no resolution: it ended with {last.event}")
    return still_open[-1]


def _state(common: Common) -> State:
    return State(settings_of(common.request()).state)


def _entries(common: Common, entries: Sequence[Entry], left_out: int, form: str) -> bytes:
    from snapaudit.report.journal import render_entries

    if form == "json":
        return _document(entries)
    colour = use_colour(common)
    return render_entries(entries, left_out, width=terminal_width(), colour=colour)


def _course(common: Common, entries: Sequence[Entry], form: str) -> bytes:
    from snapaudit.report.journal import render_course

    if form == "json":
        return _document(entries)
    return render_course(entries, width=terminal_width(), colour=use_colour(common))


def _document(entries: Sequence[Entry]) -> bytes:
    return pretty({"schema": JOURNAL_SCHEMA, "entries": [to_document(one) for one in entries]})


def _verdict(record: Record, form: str) -> bytes:
    from snapaudit.report.phrases import count

    courses = record.open_actions()
    head = record.head
    if form == "json":
        verdict = {
            "schema": "snapaudit/journal-verdict@1",
            "entries": len(record.entries),
            "head": head.hash if head else None,
            "torn": record.torn,
            "open": [course.action_id for course in courses],
        }
        return pretty(verdict)
    lines = [f"the journal is whole: {count(len(record.entries), 'entry', 'entries')}"]
    lines += [f"head: {head.hash}"] if head else []
    lines += [f"{record.torn}; the next run cuts it off"] if record.torn else []
    lines += [f"not settled: action {one.action_id}, last {one.last.event}" for one in courses]
    return "".join(f"{plain(line)}\n" for line in lines).encode()
