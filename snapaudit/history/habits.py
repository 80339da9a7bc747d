"""Habits: machines whose snapshots come and go by a schedule, seen run by run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from snapaudit.history.database import Database
from snapaudit.history.forecasting import WINDOW
from snapaudit.history.identity import number_of, to_number
from snapaudit.history.rotation import OFTEN, Taken, is_rotating
from snapaudit.history.verdicts import snapshots_of
from snapaudit.model.inventory import Inventory
from snapaudit.model.past import MachineKey
from snapaudit.model.policy import SubjectKind

_PORTION = 500


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
    chosen = sorted(wanted & machines.keys())
    views = _views(database, chosen, since, to_number(before))
    for number in chosen:
        inventory, vm = machines[number]
        present = {
            Taken(at, to_number(shot.created_at))
            for at, owner, shot in snapshots_of(replace(inventory, virtual_machines=(vm,)))
            if shot.created_at is not None and owner is vm
        }
        if is_rotating([*views.get(number, ()), present]):
            yield inventory.endpoint, vm.id


def _views(
    database: Database, machines: Sequence[int], since: int, before: int
) -> dict[int, list[set[Taken]]]:
    """The snapshots of some machines in every run that saw their endpoint whole, none included."""
    views: dict[int, list[tuple[int, set[Taken]]]] = {}
    for start in range(0, len(machines), _PORTION):
        some = machines[start : start + _PORTION]
        marks = ", ".join("?" * len(some))
        # Every run of the endpoint, also those in which the machine had no snapshot.
        for machine, run, number, created_at in database.rows(
            "SELECT s.machine, r.id, CASE WHEN g.subject IS NULL THEN NULL ELSE s.id END, "
            "s.created_at FROM subject s "
            "JOIN coverage c ON c.endpoint = s.endpoint AND c.state = 'complete' "
            "JOIN run r ON r.id = c.run AND r.has_details = 1 "
            "LEFT JOIN sighting g ON g.run = r.id AND g.subject = s.id "
            f"WHERE s.machine IN ({marks}) AND s.kind = 'snapshot' AND s.created_at IS NOT NULL "
            "AND r.audited_at BETWEEN ? AND ? ORDER BY s.machine, r.audited_at, r.id",
            (*some, since, before),
        ):
            _add(views.setdefault(machine, []), run, number, created_at)
    return {machine: [taken for _, taken in by_run] for machine, by_run in views.items()}


def _add(view: list[tuple[int, set[Taken]]], run: int, number: int | None, created_at: int) -> None:
    if not view or view[-1][0] != run:
        view.append((run, set()))
    if number is not None:
        view[-1][1].add(Taken(number, created_at))
