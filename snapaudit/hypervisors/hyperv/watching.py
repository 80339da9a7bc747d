"""How far a merge is, from one short look at the machine: its status, its slots and its files.

The removal is over at once and the merge comes later, in the host's management service, whoever is
connected. Nothing here makes it go on, and nothing ends it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass

from snapaudit.errors import HypervisorError
from snapaudit.hypervisors.hyperv import calls, chains, gaps, parsing, paths, statuses
from snapaudit.hypervisors.hyperv.calls import about
from snapaudit.hypervisors.hyperv.rows import Answer, EventRow, MachineRow
from snapaudit.hypervisors.hyperv.runner import Argument, Runner
from snapaudit.model.acting import Call

MERGED, MERGE_FAILED = 19080, 19100
"""Events of Microsoft-Windows-Hyper-V-VMMS-Admin."""
_NEEDED = frozenset({"cp", "file"})
_UNDER_WAY = frozenset({statuses.MERGING, statuses.DELETING})

Progress = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Signs:
    """What one look at a host showed. ``machine`` None: it is not there, and may be on another."""

    call: Call
    answer: Answer
    machine: MachineRow | None

    @property
    def is_under_way(self) -> bool:
        """Whether the machine says that it merges or deletes."""
        return self.machine is not None and not _UNDER_WAY.isdisjoint(self.machine.statuses)

    @property
    def is_removed(self) -> bool:
        """Whether the checkpoint is gone."""
        return about(self.call, "checkpoint") in self.answer.gone

    @property
    def left(self) -> list[str]:
        """Files that merging should have taken away and that are still there."""
        gone = {paths.key(path) for path in self.answer.gone}
        return [path for path in calls.listed(self.call, "gone") if paths.key(path) not in gone]

    @property
    def astray(self) -> list[str]:
        """Slots with another file than they are to have in the end."""
        slots = {} if self.machine is None else _slots(self.machine)
        wanted = {label: paths.key(path) for label, path in calls.mapped(self.call, "live").items()}
        return [label for label, path in wanted.items() if slots.get(label) != path]

    @property
    def is_over(self) -> bool:
        """Checkpoint gone, nothing under way, files gone, and every slot where it should be."""
        return self.is_removed and not (self.is_under_way or self.left or self.astray)

    @property
    def failure(self) -> str | None:
        """What the host's log says of a merge of this machine that failed and was not made good."""
        ours = [event for event in self.answer.events if _is_of(event, about(self.call, "vm_id"))]
        ours.sort(key=lambda event: event.at.timestamp() if event.at else 0.0)
        last = ours[-1] if ours else None
        if last is None or last.number != MERGE_FAILED:
            return None
        words = "; ".join(" ".join(text.split()) for text in last.data if text.strip())
        return f"the host says that merging failed (event {MERGE_FAILED}): {words}"

    @property
    def progress(self) -> Progress:
        """What changes while a merge goes on. A guest writes to the upper files, so those below."""
        held = {paths.key(path) for path in calls.listed(self.call, "held")}
        below = sorted(
            (paths.key(file.path), str(file.length), str(file.changed_at))
            for file in self.answer.files
            if paths.key(file.path) in held
        )
        return (
            self.is_removed,
            tuple(self.left),
            tuple(self.astray),
            tuple(sorted(below, key=str)),
        )

    def description(self) -> str:
        """What is not as it should be, in words."""
        return "; ".join(self._parts())

    def _parts(self) -> Iterator[str]:
        if not self.is_removed:
            yield "the checkpoint is still listed"
        yield from (f"{path} is still there" for path in self.left)
        yield from (f"{label} has another file" for label in self.astray)
        yield from _room(self.answer, calls.listed(self.call, "held"))


def look(call: Call, runner: Runner, where: str, since: str | None) -> Signs:
    """One look. Raises HypervisorError when the host, or what is looked for, could not be read."""
    files = [*calls.listed(call, "gone"), *calls.listed(call, "held")]
    argument: dict[str, Argument] = {
        "vm": about(call, "vm_id"),
        "checkpoints": [about(call, "checkpoint")],
        "files": [*dict.fromkeys(files)],
        "since": since,
    }
    with closing(runner):
        answer = parsing.answer(runner.run("watch", argument), where)
    machine = next((row for row in answer.machines if row.id == about(call, "vm_id")), None)
    unseen = [error for error in answer.errors if error.where in _NEEDED]
    if machine is not None and unseen:
        raise HypervisorError(f"{where}: {unseen[0].id or 'checkpoints'}: {gaps.said(unseen[0])}")
    return Signs(call, answer, machine)


def _slots(machine: MachineRow) -> dict[str, str]:
    return {chains.label(one): paths.key(one.path) for one in machine.drives if one.path}


def _is_of(event: EventRow, vm_id: str) -> bool:
    return event.number in (MERGED, MERGE_FAILED) and any(
        vm_id in text.lower() for text in event.data
    )


def _room(answer: Answer, held: list[str]) -> Iterator[str]:
    """What is free where merging writes: a full volume is the usual reason."""
    free = {paths.key(row.path): row.free for row in answer.volumes if row.free is not None}
    roots = {paths.longest(paths.key(path), free) for path in held}
    yield from (f"{root}: {free[root]:,} bytes free" for root in sorted(r for r in roots if r))
