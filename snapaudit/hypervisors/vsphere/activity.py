"""What goes on with a machine right now, and what its server forbids meanwhile."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta

from snapaudit.errors import HypervisorError
from snapaudit.hypervisors.vsphere.machine import Machine, unread
from snapaudit.hypervisors.vsphere.names import decoded
from snapaudit.hypervisors.vsphere.raw import RawObject
from snapaudit.hypervisors.vsphere.service import Service

TASK = "Task"
_TASK_PATHS = ("info.state", "info.descriptionId")
_OVER = frozenset({"success", "error"})
_SOURCES = ("recentTask", "runtime.snapshotInBackground", "runtime.question")

BACKUP_WINDOW = timedelta(days=1)
"""How long a snapshot with a backup product's name is taken for a backup under way."""

# The names that products give, as vendors' articles and other tools' default lists tell them.
_BACKUP_NAMES = re.compile(
    r"veeam backup temporary snapshot|gx_backup|^nbu_snapshot|vcb|^consolidate helper"
    r"|^tsm-vm snapshot|^smvi_",
    re.IGNORECASE,
)
_SNAPSHOT_METHODS = frozenset(
    {"CreateSnapshot_Task", "CreateSnapshotEx_Task", "RemoveSnapshot_Task"}
)
_OF_ALL = "RemoveAll"
_MIGRATION_METHODS = frozenset({"MigrateVM_Task", "RelocateVM_Task"})


def task_states(service: Service, machines: Iterable[Machine]) -> Mapping[str, RawObject]:
    """The recent tasks of these machines by their reference; one that is gone by now is left out.

    Where they cannot be asked for at all, none is known to be over: each stands there without
    a state.
    """
    wanted = sorted({moid for machine in machines for moid in machine.words("recentTask")})
    if not wanted:
        return {}
    try:
        return {task.moid: task for task in service.read_of(TASK, wanted, _TASK_PATHS)}
    except HypervisorError:
        return {moid: RawObject(TASK, moid, {}) for moid in wanted}


def is_busy(machine: Machine, tasks: Mapping[str, RawObject]) -> bool | None:
    """Whether something goes on; None where that could not be read."""
    if any(True for _ in reasons(machine, tasks)):
        return True
    return None if any(machine.is_unread(path) for path in _SOURCES) else False


def reasons(machine: Machine, tasks: Mapping[str, RawObject]) -> Iterator[str]:
    """The work that is going on, in words. A task that is not known to be over goes on."""
    if machine.flag("runtime.snapshotInBackground"):
        yield "a snapshot is being written in the background"
    question = machine.text("runtime.question")
    if machine.raw.values.get("runtime.question") is not None:
        yield f"it waits for the answer to a question: {question or 'unknown'}"
    for moid in machine.words("recentTask"):
        task = tasks.get(moid)
        if task is not None and task.values.get("info.state") not in _OVER:
            yield f"{_described(task)} is {task.values.get('info.state', 'not known to be over')}"


def _described(task: RawObject) -> str:
    kind = task.values.get("info.descriptionId")
    return f"task {task.moid} ({kind})" if isinstance(kind, str) else f"task {task.moid}"


def disabled(machine: Machine, *, is_vcenter: bool) -> Iterator[str]:
    """Methods that somebody switched off, as backup products do while they work.

    Removing all snapshots is always off where there are none, and a single host never migrates.
    """
    found = set(machine.words("disabledMethod"))
    if not found:
        return
    wrong = found & _SNAPSHOT_METHODS
    if machine.tree is not None:
        wrong |= {method for method in found if method.startswith(_OF_ALL)}
    wrong |= found & _MIGRATION_METHODS if is_vcenter else set()
    if wrong:
        names = ", ".join(sorted(wrong))
        yield f"{names}: switched off for it at the moment, as backup products do while they work"


def young_backups(machine: Machine, now: datetime) -> Iterator[str]:
    """Snapshots of a backup product that is likely to be still at work; ``now`` is the server's."""
    for snapshot in machine.tree.snapshots if machine.tree is not None else ():
        name, at = decoded(snapshot.name), snapshot.created_at
        if _BACKUP_NAMES.search(name) and (at is None or now - at < BACKUP_WINDOW):
            yield f"snapshot {name!r} has a backup product's name and is less than a day old"


def unread_paths(machine: Machine) -> str | None:
    """What of the machine could not be read."""
    found = unread(machine.raw)
    return ", ".join(sorted(found)) if found else None
