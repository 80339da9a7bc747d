"""How much room half a hundred runs of a large estate take, and how long to record and compare.

52 weekly runs of 20,000 snapshots, of which one in ten is another one each week and all have grown.
The floor beside the recording is SQLite alone: as many rows of the same numbers into a table of the
same key, committed and synced the same way. ``python -m tests.bench.history`` prints the table; the
goals are 80 MiB, a second to record and 0.3 seconds to compare. Times are those of the processor,
so that what else the machine does at the time is not counted.
"""

from __future__ import annotations

import gc
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from snapaudit.history.recording import Recording
from snapaudit.history.store import open_file
from snapaudit.model.inventory import Inventory, VirtualMachine
from snapaudit.model.policy import Policy
from snapaudit.rules.engine import audit
from snapaudit.rules.loader import load_policy
from tests.bench.rules import machine
from tests.builders import GIB, NOW, inventory

RUNS = 52
SNAPSHOTS = 20_000
_WEEK = timedelta(days=7)
_RENEWED = 10


def _view(machines: Iterable[VirtualMachine], week: int) -> Inventory:
    """The estate in a week: a tenth of the snapshots is new, and every one larger than before."""
    return inventory(*(_aged(vm, number, week) for number, vm in enumerate(machines)))


def _aged(vm: VirtualMachine, number: int, week: int) -> VirtualMachine:
    generation = (week + number) // _RENEWED
    grown = tuple(
        replace(
            shot,
            id=f"snapshot-{shot.id}-{generation}",
            created_at=NOW + (generation * _RENEWED - number % _RENEWED) * _WEEK,
            size_bytes=GIB + (week + 1) * (number + 1) * 4096,
        )
        for shot in vm.snapshots
    )
    return replace(vm, snapshots=grown)


def _recorded(file: Path, view: Inventory, policy: Policy, week: int) -> float:
    at = NOW + week * _WEEK
    recording = Recording(
        audit=audit([view], policy, at),
        at=at,
        tool_version="bench",
        rules_digest="0" * 64,
        rules=tuple(rule.id for rule in policy.rules),
    )
    began = time.process_time()
    with open_file(file, writing=True) as store:
        store.record(recording)
    return time.process_time() - began


def _floor(file: Path) -> float:
    """One run's rows and nothing else."""
    rows = [(1, number * 2**40, number * 4096, 1, 1, 50) for number in range(SNAPSHOTS)]
    connection = sqlite3.connect(file, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute(
        "CREATE TABLE sighting (run INTEGER, subject INTEGER, size INTEGER, verdict INTEGER, "
        "purpose INTEGER, score INTEGER, PRIMARY KEY (run, subject)) WITHOUT ROWID"
    )
    began = time.process_time()
    connection.execute("BEGIN IMMEDIATE")
    connection.executemany("INSERT INTO sighting VALUES (?, ?, ?, ?, ?, ?)", rows)
    connection.execute("COMMIT")
    took = time.process_time() - began
    connection.close()
    return took


def _timed(file: Path, view: Inventory) -> tuple[float, float, int]:
    """How long a comparison takes and what rules are told of the past, and how much changed."""
    last = NOW + (RUNS - 1) * _WEEK
    gc.freeze()  # `diff` has no estate in memory that garbage would be looked for in
    with open_file(file, writing=False) as store:
        began = time.process_time()
        diff = store.changes(last - _WEEK, last)
        compared = time.process_time() - began
        began = time.process_time()
        store.past([view], last + _WEEK)
        recalled = time.process_time() - began
    changed = sum(map(len, (diff.new, diff.resolved, diff.grown, diff.back)))
    return compared, recalled, changed


def run() -> None:
    """Print the table."""
    policy = load_policy((), disable={}, levels={}, environments=())
    machines = [machine(number, 1) for number in range(SNAPSHOTS)]
    with tempfile.TemporaryDirectory(prefix="sa-bench-") as folder:
        file = Path(folder) / "history.db"
        took = [_recorded(file, _view(machines, week), policy, week) for week in range(RUNS)]
        floor = statistics.median(_floor(Path(folder) / f"{n}.db") for n in range(5))
        compared, recalled, changed = _timed(file, _view(machines, RUNS))
        middle, size = statistics.median(took), file.stat().st_size
        print(f"{RUNS} runs of {SNAPSHOTS:,} snapshots: {size / 2**20:.1f} MiB, at most 80")
        print(
            f"  a run recorded     {middle:6.3f} s (worst {max(took):.3f}), "
            f"{middle / floor:5.1f} times SQLite's bare rows; at most 1 s"
        )
        print(f"  a difference       {compared:6.3f} s, {changed:,} changes; at most 0.3 s")
        print(f"  the past for rules {recalled:6.3f} s")


if __name__ == "__main__":
    run()
