"""Who made a snapshot: read off the tasks that a server keeps, since no snapshot tells it.

A server forgets tasks (a vCenter after 30 days unless told otherwise). Unknown is not nobody.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from snapaudit.errors import HypervisorError
from snapaudit.hypervisors.vsphere.raw import RawSnapshot, RawTask, RawTree
from snapaudit.hypervisors.vsphere.service import Service

WINDOW = timedelta(minutes=1)
"""How far a task's queueing and a snapshot's creation may lie apart to be taken for one event."""

KEPT = timedelta(days=30)
"""How long a vCenter keeps tasks by default; nothing older is asked for."""

LIMIT = (
    "who made a snapshot is told by tasks, which a server keeps for a time only (30 days by "
    "default): older snapshots have an unknown maker"
)

_FAILED = "error"


@dataclass(frozen=True, slots=True, kw_only=True)
class Creators:
    """User names by snapshot moid, and why they could not be asked for, if they could not."""

    names: Mapping[str, str] = field(default_factory=dict)
    gap: str | None = None


def read_creators(service: Service, trees: Mapping[str, RawTree], now: datetime) -> Creators:
    """Ask for the makers of these snapshots; ``trees`` by the machine's moid, ``now`` the server's.

    Never raises for what the server does.
    """
    since = asked_since(trees.values(), now)
    if since is None:
        return Creators()
    try:
        return Creators(names=creators(trees, service.creations(since)))
    except HypervisorError as error:
        return Creators(gap=str(error))


def asked_since(trees: Iterable[RawTree], now: datetime) -> datetime | None:
    """From when on tasks are of use: the oldest snapshot within `KEPT`; None when there is none.

    ``now`` is the server's clock.
    """
    earliest = now - KEPT
    made = [one.created_at for tree in trees for one in tree.snapshots if one.created_at]
    recent = [at for at in made if at >= earliest]
    return min(recent) - WINDOW if recent else None


def creators(trees: Mapping[str, RawTree], tasks: Iterable[RawTask]) -> dict[str, str]:
    """User names by snapshot moid; ``trees`` by the machine's moid. The doubtful is left out.

    A task whose result is the snapshot counts first. Without one, a task on the same machine that
    was queued within `WINDOW` of the creation counts, if both have no other match.
    """
    made = [task for task in tasks if task.state != _FAILED]
    named = _by_result(made)
    known = {one.moid for tree in trees.values() for one in tree.snapshots}
    told = {moid: user for moid, user in named.items() if user and moid in known}
    others = {
        vm: tuple(one for one in tree.snapshots if one.moid not in named)
        for vm, tree in trees.items()
    }
    return told | dict(_by_time(others, [task for task in made if task.result is None]))


def _by_result(tasks: Iterable[RawTask]) -> dict[str, str | None]:
    """The user by snapshot moid; None where no user or several are told."""
    users = defaultdict[str, set[str | None]](set)
    for task in tasks:
        if task.result is not None:
            users[task.result].add(task.user)
    return {moid: next(iter(one)) if len(one) == 1 else None for moid, one in users.items()}


def _by_time(
    snapshots: Mapping[str, tuple[RawSnapshot, ...]], tasks: Iterable[RawTask]
) -> Iterator[tuple[str, str]]:
    of_machine = defaultdict[str, list[RawTask]](list)
    for task in tasks:
        if task.entity is not None:
            of_machine[task.entity].append(task)
    for vm, made in of_machine.items():
        shots = snapshots.get(vm, ())
        for shot in shots:
            near = [task for task in made if _is_near(shot, task)]
            if len(near) == 1 and near[0].user and _is_alone(near[0], shots):
                yield shot.moid, near[0].user


def _is_alone(task: RawTask, snapshots: Iterable[RawSnapshot]) -> bool:
    return sum(_is_near(shot, task) for shot in snapshots) == 1


def _is_near(snapshot: RawSnapshot, task: RawTask) -> bool:
    if snapshot.created_at is None or task.queued_at is None:
        return False
    return abs(snapshot.created_at - task.queued_at) <= WINDOW
