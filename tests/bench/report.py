"""How long the weekly report of a large estate takes, from the history to each of its formats.

52 weekly runs of 20,000 snapshots. The floor beside it is to read the kept audit alone, without
which nothing can be reported. ``python -m tests.bench.report`` prints the table; the goal is five
seconds for the report with its page.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from snapaudit.app.history import record
from snapaudit.app.weekly.asking import report_of_last_run
from snapaudit.app.weekly.keeping import kept
from snapaudit.config.loader import defaults
from snapaudit.config.settings import Settings
from snapaudit.enforce.state import State
from snapaudit.model.inventory import Inventory, VirtualMachine
from snapaudit.model.past import NOTHING_REMEMBERED
from snapaudit.model.policy import Policy
from snapaudit.report.formats import WEEKLY_FORMATS, render_weekly
from snapaudit.rules.engine import audit
from snapaudit.rules.loader import load_policy
from tests.bench import rules
from tests.builders import GIB, NOW, datastore, inventory

RUNS = 52
SNAPSHOTS = 20_000
_WEEK = timedelta(weeks=1)
_STORES = 40


def run() -> list[tuple[str, float, str]]:
    """Name, value and unit of each measurement, printed too."""
    with tempfile.TemporaryDirectory(prefix="snapaudit-bench-") as folder:
        settings = defaults(Path(folder))
        _fill(settings)
        floor = _timed(lambda: kept(State(settings.state)))
        made = _timed(lambda: report_of_last_run(settings, {}))
        report = report_of_last_run(settings, {})
        rows = [
            (f"report of {RUNS} runs of {SNAPSHOTS:,} snapshots", made, "s"),
            ("floor: to read the kept audit", floor, "s"),
            ("ratio", made / floor, "times the floor"),
        ]
        for form in WEEKLY_FORMATS:
            size = len(render_weekly(report, form)) / 2**20
            seconds = _timed(lambda form=form: render_weekly(report, form))  # type: ignore[misc]
            rows.append((f"as {form}, {size:.1f} MiB", seconds, "s"))
    for name, value, unit in rows:
        sys.stdout.write(f"{name:45} {value:9.2f} {unit}\n")
    return rows


def _timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _fill(settings: Settings) -> None:
    policy = load_policy((), disable={}, levels={}, environments=())
    machines = rules.estate().virtual_machines[: SNAPSHOTS // rules.SNAPSHOTS]
    for week in range(RUNS):
        at = NOW + week * _WEEK
        _recorded(_view(machines, week, at), policy, settings, at)


def _recorded(view: Inventory, policy: Policy, settings: Settings, at: datetime) -> None:
    found = audit((view,), policy, at)
    record(found, NOTHING_REMEMBERED, policy, settings, {}, at, at)


def _view(machines: tuple[VirtualMachine, ...], week: int, at: datetime) -> Inventory:
    """The estate in a week: every snapshot grows, and a tenth of the machines has new ones."""
    stores = tuple(
        datastore(f"store-{number}", capacity_bytes=9_000 * GIB, free_bytes=(900 - 9 * week) * GIB)
        for number in range(_STORES)
    )
    aged = (_aged(vm, number, week) for number, vm in enumerate(machines))
    return replace(inventory(*aged, datastores=stores), collected_at=at)


def _aged(vm: VirtualMachine, number: int, week: int) -> VirtualMachine:
    renewed = (week + number) // 10
    shots = tuple(
        replace(
            shot,
            id=f"{shot.id}-{renewed}",
            created_at=NOW + (renewed * 10 - number % 10) * _WEEK - timedelta(days=1),
            size_bytes=GIB + week * number * 4096,
        )
        for shot in vm.snapshots
    )
    return replace(vm, snapshots=shots)


if __name__ == "__main__":
    run()
