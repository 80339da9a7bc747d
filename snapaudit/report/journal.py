"""The journal for the terminal: entries one below the other, or one action's with all details."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import RenderableType

from snapaudit.model.journal import Entry, Event
from snapaudit.report.phrases import count, moment
from snapaudit.report.terminal import NAME_COLUMNS, draw, facts, grid, text, titled

_STYLES = {
    Event.DONE: "green",
    Event.FAILED: "bold red",
    Event.UNKNOWN: "bold red",
    Event.REFUSED: "yellow",
}
_LONGEST_DETAIL = 200
_FOR_A_LATER_RUN = frozenset(
    {"completes", "spares", "datastores", "power_state", "siblings", "unsent"}
    | {"about.identity", "about.snapshot", "about.vm_id"}
)
"""What no person looks for in a list: it says again what else is there, or how things stood."""


def render_entries(entries: Sequence[Entry], left_out: int, *, width: int, colour: bool) -> bytes:
    """A table of entries, oldest first; ``left_out`` are older ones that are not shown."""
    if not entries:
        return b"the journal is empty\n"
    table = grid("no", "at", "event", "action", "detail")
    for entry in entries:
        table.add_row(
            str(entry.seq),
            text(moment(entry.at)),
            text(entry.event, _STYLES.get(entry.event, "")),
            text(entry.action_id, limit=NAME_COLUMNS),
            text(_in_short(entry), limit=_LONGEST_DETAIL),
        )
    parts: list[RenderableType] = [table]
    if left_out:
        parts.append(text(f"{count(left_out, 'older entry', 'older entries')} not shown: --last"))
    return draw(parts, width=width, colour=colour)


def render_course(entries: Sequence[Entry], *, width: int, colour: bool) -> bytes:
    """Every entry with all that it says."""
    parts: list[RenderableType] = []
    for entry in entries:
        pairs = [("action", entry.action_id), ("plan", entry.plan_id), ("run", entry.run_id)]
        pairs += [("task", entry.task_id)] if entry.task_id else []
        pairs += [(name, _shown(value)) for name, value in sorted(entry.detail.items())]
        pairs += [("hash", entry.hash)]
        title = f"{entry.seq}. {entry.event}, {moment(entry.at)}"
        parts += titled(title, facts(pairs))
    return draw(parts, width=width, colour=colour)


def _in_short(entry: Entry) -> str:
    """What says something, the call and what it is about in general before its particulars."""
    task = [f"task {entry.task_id}"] if entry.task_id else []
    said = [
        (key, value)
        for key, value in entry.detail.items()
        if value not in ("", None) and key not in _FOR_A_LATER_RUN
    ]
    first = ("call", "snapshot_id")
    said.sort(key=lambda pair: (pair[0].startswith("about."), pair[0] not in first))
    return ", ".join([*task, *(f"{key} {_shown(value)}" for key, value in said)])


def _shown(value: str | int | None) -> str:
    return "none" if value is None else str(value)
