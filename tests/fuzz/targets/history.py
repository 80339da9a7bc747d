"""The history: a file of SQLite, damaged as a file, or sound and with values that no run wrote."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

from snapaudit.history.store import Store, open_file
from tests.builders import NOW, datastore, inventory, snapshot, vm
from tests.fuzz.target import Form, Target
from tests.fuzz.targets import scratch
from tests.history.past import ran


def _history(data: bytes) -> None:
    path = scratch.file("history.db", data)
    for end in ("-wal", "-shm", "-journal"):
        Path(f"{path}{end}").unlink(missing_ok=True)
    with open_file(path, writing=False) as store:
        _remembered(store)
    seen = _seen(5)
    with open_file(path, writing=True) as store:
        store.past([seen], NOW + timedelta(days=5))
        store.faults()


def _history_rows(data: bytes) -> None:
    """A sound database that holds other values: tables, rows and columns as JSON says."""
    try:
        tables = json.loads(data)
        changed = {str(name): list(rows) for name, rows in tables.items()}
    except (ValueError, TypeError, AttributeError, RecursionError):
        return
    path = scratch.file("changed.db", _database())
    line = sqlite3.connect(path, isolation_level=None)
    for name, rows in changed.items():
        with suppress(sqlite3.Error, UnicodeError, ValueError):
            line.execute(f'DELETE FROM "{name}"')
        for row in rows:
            with suppress(sqlite3.Error, TypeError, OverflowError, ValueError):
                marks = ", ".join("?" * len(row))
                line.execute(f'INSERT INTO "{name}" VALUES ({marks})', list(row))
    line.close()
    _history(path.read_bytes())


def _tables() -> Iterator[bytes]:
    path = scratch.file("changed.db", _database())
    line = sqlite3.connect(path)
    names = ["run", "coverage", "subject", "sighting", "level", "forecast", "word"]
    found = {name: line.execute(f"SELECT * FROM {name}").fetchall() for name in names}
    line.close()
    yield json.dumps(found).encode()


def _remembered(store: Store) -> None:
    later = NOW + timedelta(days=5)
    store.endpoints()
    store.runs()
    store.datastores()
    store.forecasts(later)
    store.changes(NOW, later)
    store.with_creators([_seen(5)])


def _seen(day: int) -> Any:
    store = datastore(free_bytes=10**11 - day * 10**9)
    at = NOW + timedelta(days=day)
    return replace(inventory(vm("web01", snapshot(age="9d")), datastores=(store,)), collected_at=at)


@cache
def _database() -> bytes:
    path = scratch.folder() / "example.db"
    with open_file(path, writing=True) as store:
        for day in range(4):
            ran(store, _seen(day), at=NOW + timedelta(days=day))
    return path.read_bytes()


TARGETS = (
    Target(
        name="history",
        group="history",
        run=_history,
        examples=lambda: (_database(),),
        largest=512 * 1024,
    ),
    Target(
        name="history-rows", group="history", run=_history_rows, examples=_tables, form=Form.JSON
    ),
)
