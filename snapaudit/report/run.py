"""Run: what became of a plan, for the administrator who let it run."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from snapaudit.model.journal import Event
from snapaudit.model.outcome import Outcome, RunReport
from snapaudit.model.plan import Action
from snapaudit.report.phrases import byte_range, count, moment, short_duration, size, words
from snapaudit.report.planned import gain, place_of
from snapaudit.report.terminal import (
    NAME_COLUMNS,
    draw,
    facts,
    grid,
    labelled,
    lines,
    steps,
    text,
    titled,
    typed,
)

_STYLES = {
    Event.DONE: "bold green",
    Event.ALREADY_GONE: "green",
    Event.REFUSED: "magenta",
    Event.FAILED: "bold red",
    Event.UNKNOWN: "bold magenta",
}
_ACTION_COLUMNS = 90
_WORST_FIRST = (Event.UNKNOWN, Event.FAILED, Event.REFUSED)


def render(report: RunReport, *, width: int, colour: bool) -> bytes:
    """The run as text for a terminal of that many columns."""
    return draw(_parts(report), width=width, colour=colour)


def _parts(report: RunReport) -> Iterator[RenderableType]:
    yield _verdict(report)
    yield facts(_numbers(report))
    if report.settled:
        found = lines(*(text(one) for one in report.settled))
        yield from titled("Found of earlier runs, before anything was sent", found)
    if report.outcomes:
        yield from titled("What became of each action", _outcomes(report.outcomes))
    if report.not_started:
        title = f"Not started: {count(len(report.not_started), 'action')}"
        yield from titled(title, _not_started(report))
    yield from _half_done(report)
    yield from _unknown(report)
    yield Text()
    yield text(f"Journal head {report.journal_head}")
    yield text("Note it elsewhere: it proves later that nothing was cut off the journal.", "dim")


def _verdict(report: RunReport) -> Text:
    events = [one.event for one in report.outcomes]
    worst = next((event for event in _WORST_FIRST if event in events), Event.DONE)
    word, style = words(worst).upper(), _STYLES[worst]
    if worst is Event.DONE and (report.not_started or report.stopped_because):
        word, style = "STOPPED", "bold yellow"
    total = len(events) + len(report.not_started)
    parts = [f"{events.count(Event.DONE):,} of {count(total, 'action')} done"]
    parts += [
        f"{events.count(event):,} {words(event)}"
        for event in (Event.ALREADY_GONE, *reversed(_WORST_FIRST))
        if event in events
    ]
    parts += [f"{len(report.not_started):,} not started"] if report.not_started else []
    return Text.assemble((word, style), "  ", ", ".join(parts))


def _numbers(report: RunReport) -> Iterator[tuple[str, str]]:
    done = [one for one in report.outcomes if one.event is Event.DONE]
    if done:
        promised = byte_range(gain(one.action for one in done))
        yield "came back", f"{_measured(done)} (promised {promised})"
    if report.stopped_because is not None:
        yield "stopped", report.stopped_because
    span = short_duration(report.finished_at - report.started_at)
    yield "ran", f"from {moment(report.started_at)} for {span}"
    yield "run", report.run_id
    yield "plan", report.plan_id


def _measured(done: list[Outcome]) -> str:
    known = [one.freed_bytes for one in done if one.freed_bytes is not None]
    unknown = len(done) - len(known)
    if not known:
        return "unknown: nothing was measured"
    tail = f" and {unknown:,} not measured" if unknown else ""
    return f"{size(sum(known))}{tail}"


def _outcomes(outcomes: tuple[Outcome, ...]) -> Table:
    table = grid()
    table.add_column("Result", no_wrap=True)
    table.add_column("Action", overflow="fold", max_width=_ACTION_COLUMNS)
    table.add_column("Came back\nof promised", justify="right", overflow="fold")
    table.add_column("Took", no_wrap=True)
    for one in outcomes:
        result = text(words(one.event), _STYLES.get(one.event, ""))
        took = text(short_duration(one.finished_at - one.started_at), "dim")
        table.add_row(result, _told(one), _freed(one), took)
    return table


def _told(one: Outcome) -> Text:
    parts = [text(place_of(one.action), "bold", NAME_COLUMNS)]
    if one.guard is not None:
        parts.append(labelled(one.guard, "bold magenta", one.reason))
    elif one.reason:
        parts.append(text(one.reason))
    if one.task_id is not None and one.event in (Event.FAILED, Event.UNKNOWN):
        parts.append(text(f"task {one.task_id}", "dim"))
    return lines(*parts)


def _freed(one: Outcome) -> Text:
    if one.event is not Event.DONE:
        return Text()
    promised = text(byte_range(one.action.frees_bytes), "dim")
    return lines(text(size(one.freed_bytes), _of_promise(one)), promised)


def _of_promise(one: Outcome) -> str:
    """Less than was promised is shown as such; more is no harm."""
    freed = one.freed_bytes
    return "yellow" if freed is not None and freed < one.action.frees_bytes.min else ""


def _not_started(report: RunReport) -> Text:
    why = report.stopped_because or "the run ended before their turn"
    names = (text(place_of(one), "", NAME_COLUMNS) for one in report.not_started)
    return lines(text(why, "yellow"), *names)


def _half_done(report: RunReport) -> Iterator[RenderableType]:
    halves = [one.action for one in report.outcomes if one.goes_on]
    if not halves:
        return
    yield Text()
    yield Text("Half done", style="bold yellow")
    yield text(f"Apply plan {report.plan_id} again: it goes on where it stopped.")
    yield lines(*(text(place_of(action), "", NAME_COLUMNS) for action in halves))


def _unknown(report: RunReport) -> Iterator[RenderableType]:
    lost = [one.action for one in report.outcomes if one.event is Event.UNKNOWN and not one.goes_on]
    if not lost:
        return
    yield Text()
    yield Text("Unknown, until somebody has looked", style="bold magenta")
    yield text(
        "Nothing more is done on these machines, and no plan is applied, until each is settled: "
        "look at the machine, then say whether it was done, had no effect (no-effect) or is "
        "abandoned as it stands."
    )
    for action in lost:
        yield from steps(place_of(action), _ways_out(action))


def _ways_out(action: Action) -> Iterator[str]:
    show = typed("snapaudit", "journal", "show", action.id)
    resolve = typed("snapaudit", "journal", "resolve", action.id)
    if show is not None and resolve is not None:
        yield show
        yield f"{resolve} --outcome WORD --reason TEXT"
