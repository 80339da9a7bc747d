"""Plan: what would be deleted, for the administrator who has to answer for it."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from snapaudit.model.plan import Action, Decision, Outlook, Plan, Refusal
from snapaudit.model.policy import Remedy
from snapaudit.report.escape import plain
from snapaudit.report.opening import opening
from snapaudit.report.phrases import age, byte_range, count, moment, share, size
from snapaudit.report.planned import (
    Fold,
    Machine,
    Place,
    kept,
    machines,
    meant,
    refused_elsewhere,
    store_names,
    written_to,
)
from snapaudit.report.terminal import (
    NAME_COLUMNS,
    bar,
    draw,
    examples,
    grid,
    labelled,
    lines,
    steps,
    text,
    titled,
    typed,
)

_VERBS = {Remedy.DELETE_SNAPSHOT: "delete", Remedy.CONSOLIDATE: "consolidate"}
_WHAT_COLUMNS = 90
_GAIN_COLUMNS = 16
_GUARD = "bold magenta"


def render(plan: Plan, file: str, obstacle: str | None, *, width: int, colour: bool) -> bytes:
    """The plan as text for a terminal of that many columns.

    ``file`` is where it lies, ``obstacle`` why it cannot be applied all the same.
    """
    return draw(_parts(plan, file, obstacle), width=width, colour=colour)


def _parts(plan: Plan, file: str, obstacle: str | None) -> Iterator[RenderableType]:
    yield from opening(plan, obstacle)
    found = machines(plan)
    if found:
        title = "What would be done, in this order, and what is refused on the same machines"
        yield from titled(title, _actions(plan, found))
    elsewhere = refused_elsewhere(plan)
    if elsewhere:
        total = sum(len(one.names) for one in elsewhere)
        title = f"Refused on machines where nothing is done: {total:,}"
        yield from titled(title, _refused(elsewhere))
    if plan.kept:
        title = f"Kept, since no finding offers them: {count(len(plan.kept), 'snapshot')}"
        yield from titled(title, _kept(kept(plan)))
    if plan.datastores:
        yield from titled(
            "Datastores: what is free, and how full they are", _outlook(plan.datastores)
        )
    yield from _closing(plan, file, obstacle)


def _actions(plan: Plan, found: tuple[Machine, ...]) -> Table:
    table = grid()
    table.add_column("#", justify="right", no_wrap=True)
    table.add_column("What and why", overflow="fold", max_width=_WHAT_COLUMNS)
    table.add_column("Gives back", justify="right", overflow="fold", max_width=_GAIN_COLUMNS)
    table.add_column("Needs", justify="right", no_wrap=True)
    table.add_column("Decision", no_wrap=True)
    names = store_names(plan)
    for machine in found:
        table.add_row("", _machine(machine))
        for number, action in machine.actions:
            table.add_row(*_action(number, action, plan, names))
        for refusal in machine.refusals:
            table.add_row("\u2013", _refusal(refusal), "", "", text("refused", "magenta"))
        table.add_section()
    return table


def _machine(machine: Machine) -> Text:
    name = text(f"{machine.endpoint} / {machine.vm_name}", "bold", NAME_COLUMNS)
    if machine.vm_id == machine.vm_name:
        return name
    return lines(name, text(machine.vm_id, "dim"))


def _action(number: int, action: Action, plan: Plan, names: dict[Place, str]) -> list[Text]:
    is_meant = action.decision is Decision.APPLY
    style = "" if is_meant else "dim"
    about = lines(
        _target(action, style),
        *(text(line, "dim") for line in _identity(action, plan)),
        *(text(line, style) for line in _because(action)),
        *(text(line, "dim") for line in _merge(action, names)),
        *([text(f"note: {action.note}", "cyan")] if action.note else []),
    )
    numbers = (text(byte_range(action.frees_bytes), style), text(size(action.needs_bytes), style))
    decision = text("apply", "green") if is_meant else text("SKIP", "yellow")
    return [text(str(number), style), about, *numbers, decision]


def _target(action: Action | Refusal, style: str) -> Text:
    verb = text(f"{_VERBS[action.kind]} ", style)
    name = action.snapshot_name
    return verb + text("its disks" if name is None else name, f"bold {style}", NAME_COLUMNS)


def _identity(action: Action, plan: Plan) -> Iterator[str]:
    """What tells the snapshot from others, in the words of whoever took it too."""
    snapshot = action.expects.snapshot
    if snapshot is None:
        return
    taken = "unknown" if snapshot.created_at is None else moment(snapshot.created_at)
    other = f", id {snapshot.id}" if snapshot.id != snapshot.name else ""
    yield f"taken {taken} ({age(snapshot.created_at, plan.planned_at)}){other}"
    if snapshot.description:
        yield f"described as “{snapshot.description}”"


def _because(action: Action) -> Iterator[str]:
    for number, reason in enumerate(action.because):
        yield f"and {reason}" if number else f"because {reason}"


def _merge(action: Action, names: dict[Place, str]) -> Iterator[str]:
    stores = ", ".join(written_to(action, names)) or "no known datastore"
    copied = size(action.merges_bytes) if action.merges_bytes else "nothing"
    yield f"on {stores}, copies {copied}"
    for disk in action.expects.removes if action.snapshot_id is None else ():
        yield from (f"takes {path} out of {disk.label}" for path in disk.paths)


def _refusal(refusal: Refusal) -> Text:
    return lines(_target(refusal, ""), labelled(refusal.guard, _GUARD, refusal.reason))


def _refused(folds: tuple[Fold, ...]) -> Table:
    table = grid("Guard and reason", "Refused")
    for one in folds:
        names = lines(*(text(name, "", NAME_COLUMNS) for name in one.names))
        table.add_row(labelled(one.word, _GUARD, one.reason), names)
    return table


def _kept(folds: tuple[Fold, ...]) -> Table:
    table = grid("Why", "Snapshots")
    for one in folds:
        table.add_row(text(one.reason), examples(one.names))
    return table


def _outlook(stores: tuple[Outlook, ...]) -> Table:
    table = grid("Datastore", "Free before", "Worst moment", "Free after")
    for one in stores:
        after = one.free_after_bytes
        table.add_row(
            text(f"{one.endpoint} / {one.name}", "", NAME_COLUMNS),
            _level(size(one.free_bytes), one.free_bytes, one.capacity_bytes),
            _level(size(one.least_free_bytes), one.least_free_bytes, one.capacity_bytes),
            text("unknown")
            if after is None
            else _level(byte_range(after), after.min, one.capacity_bytes),
        )
    return table


def _level(said: str, free: int | None, capacity: int | None) -> Text:
    """Free space in words, and below how full the datastore is then."""
    if free is None or not capacity:
        return text(said)
    full = min(1.0, max(0.0, 1 - free / capacity))
    return lines(text(said), text(f"{bar(full)} {share(full)}", "dim"))


def _closing(plan: Plan, file: str, obstacle: str | None) -> Iterator[RenderableType]:
    following = list(_steps(plan, file)) if obstacle is None else []
    yield Text()
    ending = " Next:" if following else ""
    yield Text(f"Nothing has been changed by making this plan.{ending}", style="bold")
    for purpose, how in following:
        yield from steps(purpose, how)


def _steps(plan: Plan, file: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """What the reader may want to do, and the lines to type for it."""
    chosen = meant(plan.actions)
    if chosen and not plan.excess:
        yield "To carry it out", (_command("--apply", "--plan", file),)
    if chosen:
        yield "To leave actions out", _decided(Decision.SKIP, file)
    if len(chosen) < len(plan.actions):
        yield "To carry out what is left out so far", _decided(Decision.APPLY, file)
    if plan.excess:
        smaller = _command("--worst", str(plan.limits.max_actions))
        yield "To plan less, namely what gives most back", (smaller,)
    for action in plan.actions[:1]:
        name = "/".join(filter(None, (action.vm_name, action.snapshot_name)))
        asked = typed("snapaudit", "explain", name)
        if asked is not None:
            yield "To see every number behind an action", (asked,)


def _decided(decision: Decision, file: str) -> tuple[str, str]:
    edit = f'write "decision": "{decision}" at each of them in {plain(file)}, then'
    return edit, _command("--plan", file, "--reseal")


def _command(*words: str) -> str:
    return typed("snapaudit", "enforce", *words) or "snapaudit enforce --help"
