"""How far a run is, as lines for a terminal or a log: one an endpoint, one that sums them up."""

from __future__ import annotations

from collections.abc import Collection

from snapaudit.ports import DONE, FAILED, WAITING, Step
from snapaudit.report.escape import columns, plain

_NAME_COLUMNS = 30
_PHASE_COLUMNS = 16
_ENDED = (DONE, FAILED)
# The summary, the line that counts what is not shown, and the prompt's own.
_KEPT_FREE = 3


def board(steps: Collection[Step], seconds: float, width: int, height: int) -> list[str]:
    """The latest step of each endpoint as rows by name, and a summary below, within the terminal.

    Where not all have room, those that wait and those that ended are only counted.
    """
    room = max(1, height - _KEPT_FREE)
    shown = sorted(steps, key=lambda step: step.endpoint)
    if len(shown) > room:
        shown = [step for step in shown if step.phase not in (WAITING, *_ENDED)]
    names = min(_NAME_COLUMNS, max((columns(plain(one.endpoint)) for one in shown), default=0))
    rows = [_row(step, names, width) for step in shown[:room]]
    if len(shown) > room:
        rows.append(f"and {len(shown) - room} more under way"[:width])
    return [*rows, plain(summary(steps, seconds), width)]


def line(step: Step) -> str:
    """One step as a line of a log."""
    return "  ".join(filter(None, (plain(step.endpoint), plain(step.phase), _counted(step))))


def summary(steps: Collection[Step], seconds: float) -> str:
    """How many endpoints there are in each state, what was seen so far and for how long."""
    phases = [step.phase for step in steps]
    ended = sum(phase in _ENDED for phase in phases)
    counts = (
        (phases.count(DONE), "done"),
        (phases.count(FAILED), "failed"),
        (len(phases) - ended - phases.count(WAITING), "under way"),
        (phases.count(WAITING), "waiting"),
    )
    states = ", ".join(f"{count} {word}" for count, word in counts if count)
    machines = sum(step.seen for step in steps if step.phase == DONE)
    minutes, rest = divmod(int(seconds), 60)
    seen = f"{machines:,} machines" if machines else ""
    parts = (f"{ended} of {len(phases)} endpoints", states, seen)
    return f"{' · '.join(filter(None, parts))} · {minutes}:{rest:02}"


def _row(step: Step, names: int, width: int) -> str:
    name = plain(step.endpoint, names)
    name += " " * (names - columns(name))
    return plain(f"{name}  {plain(step.phase):{_PHASE_COLUMNS}} {_counted(step)}".rstrip(), width)


def _counted(step: Step) -> str:
    """What was seen; of one that ended badly, why."""
    if step.phase == FAILED:
        return plain(step.reason or "")
    if step.phase == DONE and (step.seen or step.reason):
        whole = "" if step.reason is None else f", not whole: {plain(step.reason)}"
        return f"{step.seen:,} {'machine' if step.seen == 1 else 'machines'}{whole}"
    if not step.seen:
        return ""
    return f"{step.seen:,}" + (f" of {step.total:,}" if step.total is not None else "")
