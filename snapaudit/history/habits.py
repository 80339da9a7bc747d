"""Habits: machines whose snapshots come and go by a schedule, seen run by run."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Set
from datetime import datetime

from snapaudit.history.database import Database
from snapaudit.history.forecasting import WINDOW
from snapaudit.history.identity import number_of, number_of_snapshot, to_number
from snapaudit.history.rotation import OFTEN, Taken, is_rotating
from snapaudit.model.inventory import Inventory, VirtualMachine
from snapaudit.model.past import MachineKey
from snapaudit.model.policy import SubjectKind

# Half a year by a fortnight. What turns faster than that has turned as well from one such look to
# the next, so that more of them would tell nothing.
_MOST_LOOKS = 14


def rotating(
    database: Database, inventories: Iterable[Inventory], before: datetime
) -> Iterator[MachineKey]:
    """The machines of these inventories on which snapshots rotate."""
    since = to_number(before - WINDOW)
    candidates = database.rows(
        "SELECT machine FROM subject WHERE kind = 'snapshot' AND first_seen_at >= ? "
        "AND created_at IS NOT NULL GROUP BY machine HAVING COUNT(*) >= ?",
        (since, OFTEN),
    )
    wanted = {number for (number,) in candidates}
    if not wanted:
        return
    machines = {
        number_of(SubjectKind.VIRTUAL_MACHINE, one.endpoint, None, vm.id): (one, vm)
        for one in inventories
        for vm in one.virtual_machines
    }
    present = {number: _present(*machines[number]) for number in wanted & machines.keys()}
    taken = _with_leavers(_snapshots_of(database, present.keys()), present)
    views = _views(database, taken, since, to_number(before))
    for number in sorted(views):
        inventory, vm = machines[number]
        if is_rotating([*views[number], present[number]]):
            yield inventory.endpoint, vm.id


def _present(inventory: Inventory, vm: VirtualMachine) -> set[Taken]:
    return {
        Taken(number_of_snapshot(inventory.endpoint, vm.id, shot), to_number(shot.created_at))
        for shot in vm.snapshots
        if shot.created_at is not None
    }


def _with_leavers(
    taken: dict[int, tuple[int, Taken]], present: Mapping[int, set[Taken]]
) -> dict[int, tuple[int, Taken]]:
    """The snapshots of those machines alone that have lost enough of them to be rotating."""
    left = Counter(machine for machine, one in taken.values() if one not in present[machine])
    return {number: at for number, at in taken.items() if left[at[0]] >= OFTEN}


def _views(
    database: Database, taken: Mapping[int, tuple[int, Taken]], since: int, before: int
) -> dict[int, list[set[Taken]]]:
    """The machines' snapshots at some moments, oldest first; at some there may be none."""
    machines = {machine for machine, _ in taken.values()}
    if not machines:
        return {}
    endpoints = _by_endpoint(database)
    views: dict[int, list[set[Taken]]] = {machine: [] for machine in machines}
    for run, whole in sorted(_looks(database, since, before).items(), key=lambda one: one[1][0]):
        present: defaultdict[int, set[Taken]] = defaultdict(set)
        seen = database.rows("SELECT subject FROM sighting WHERE run = ?", (run,))
        for number in taken.keys() & {subject for (subject,) in seen}:
            machine, one = taken[number]
            present[machine].add(one)
        for endpoint in whole[1]:
            for machine in machines & endpoints[endpoint]:
                views[machine].append(present.get(machine, set()))
    return views


def _snapshots_of(database: Database, machines: Set[int]) -> dict[int, tuple[int, Taken]]:
    rows = database.rows(
        "SELECT id, machine, created_at FROM subject "
        "WHERE kind = 'snapshot' AND created_at IS NOT NULL"
    )
    return {
        number: (machine, Taken(number, created_at))
        for number, machine, created_at in rows
        if machine in machines
    }


def _by_endpoint(database: Database) -> dict[int, set[int]]:
    found: defaultdict[int, set[int]] = defaultdict(set)
    for number, endpoint in database.rows(
        "SELECT id, endpoint FROM subject WHERE kind = 'virtual-machine'"
    ):
        found[endpoint].add(number)
    return found


def _looks(database: Database, since: int, before: int) -> dict[int, tuple[int, list[int]]]:
    """Runs with their time and the endpoints for which each is one of the looks."""
    by_endpoint: defaultdict[int, list[tuple[int, int]]] = defaultdict(list)
    for run, at, endpoint in database.rows(
        "SELECT r.id, r.audited_at, c.endpoint FROM coverage c JOIN run r ON r.id = c.run "
        "WHERE c.state = 'complete' AND r.has_details = 1 AND r.audited_at BETWEEN ? AND ? "
        "ORDER BY r.audited_at DESC, r.id DESC",
        (since, before),
    ):
        by_endpoint[endpoint].append((run, at))
    looks: dict[int, tuple[int, list[int]]] = {}
    for endpoint, runs in by_endpoint.items():
        for run, at in runs[:: -(-len(runs) // _MOST_LOOKS)]:
            looks.setdefault(run, (at, []))[1].append(endpoint)
    return looks
