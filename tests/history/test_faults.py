"""A history that is killed, full, locked, newer, damaged or not ours: nothing committed is lost."""

from __future__ import annotations

import os
import resource
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from snapaudit.errors import HistoryError
from snapaudit.history.migrating import migrate
from snapaudit.history.recording import record
from snapaudit.history.schema import STEPS
from snapaudit.history.sqlite import SqliteDatabase
from snapaudit.history.store import Store, open_file
from snapaudit.model.inventory import Inventory
from tests.builders import NOW, inventory, snapshot, vm
from tests.history.past import DAY, ran, recording

# A process that records one run after the other and says each that is committed.
WRITER = """
import sys
from datetime import timedelta
from pathlib import Path
from snapaudit.history.store import Store, open_file
from tests.builders import NOW
from tests.history.past import recording
from tests.history.test_faults import large
view = large()
with open_file(Path(sys.argv[1]), writing=True) as store:
    for day in range(int(sys.argv[2]), 10_000):
        store.record(recording(view, at=NOW + timedelta(days=day)))
        print(day, flush=True)
"""


def large() -> Inventory:
    return inventory(*(vm(f"vm{n}", snapshot("s", age="9d")) for n in range(300)))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "history.db"
    with open_file(path, writing=True) as store:
        ran(store, large())
    return path


def moments(path: Path) -> list[object]:
    with open_file(path, writing=False) as store:
        return [run.audited_at for run in store.runs()]


@pytest.mark.parametrize("delay", [0.0, 0.005, 0.011, 0.017, 0.023, 0.031])
def test_killed_while_writing_it_holds_every_run_that_was_committed(
    file: Path, delay: float
) -> None:
    root = Path(__file__).parents[2]
    words = [sys.executable, "-c", WRITER, str(file), "1"]
    environ = {**os.environ, "PYTHONPATH": str(root)}
    with subprocess.Popen(
        words, cwd=root, env=environ, stdout=subprocess.PIPE, encoding="utf-8"
    ) as process:
        out = process.stdout
        assert out is not None
        said = [int(out.readline()) for _ in range(3)]
        time.sleep(delay)  # somewhere in the middle of a later run, each time a little further
        process.send_signal(signal.SIGKILL)
        said += [int(line) for line in out.read().split()]
    committed = {NOW} | {NOW + day * DAY for day in said}
    with open_file(file, writing=True) as store:
        assert committed <= {run.audited_at for run in store.runs()}
        assert all(run.summary.snapshots == 300 for run in store.runs())
        assert store.faults() == ()
        ran(store, large(), at=NOW + 20_000 * DAY)
    assert len(moments(file)) >= 5


@contextmanager
def no_larger_than(size: int) -> Iterator[None]:
    """Every file of this process ends there, as on a disk that is full."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, before)


def test_file_that_cannot_grow_loses_nothing_and_says_so(file: Path) -> None:
    with (
        open_file(file, writing=True) as store,
        no_larger_than(16 * 1024),
        pytest.raises(HistoryError, match=r"history\.db: the disk .*full"),
    ):
        ran(store, large(), at=NOW + DAY)
    assert moments(file) == [NOW]
    with open_file(file, writing=True) as store:
        ran(store, large(), at=NOW + DAY)
        assert store.faults() == ()


def fill(store: Store) -> None:
    for day in range(1, 1000):
        ran(store, large(), at=NOW + day * DAY)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a small disk")
def test_full_disk_loses_nothing_and_says_so(tmp_path: Path) -> None:
    folder = tmp_path / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m,mode=700", "tmpfs", str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("a small disk cannot be mounted here")
    try:
        path = folder / "history.db"
        with open_file(path, writing=True) as store:
            ran(store, inventory(vm("web01", snapshot("s", age="9d"))))
            with pytest.raises(HistoryError, match="the disk is full; free space for"):
                fill(store)
        kept = moments(path)
        assert NOW in kept
        with open_file(path, writing=False) as store:
            assert store.faults() == ()
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def test_history_that_somebody_writes_to_is_waited_for_and_then_told(file: Path) -> None:
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    database = SqliteDatabase(file, writing=True, patience=0.05)
    with pytest.raises(HistoryError, match="another run is writing to it"):
        record(database, recording(large(), at=NOW + DAY))
    assert moments(file) == [NOW]  # whoever reads is not kept from it
    other.execute("ROLLBACK")
    record(database, recording(large(), at=NOW + DAY))
    database.close()
    other.close()
    assert len(moments(file)) == 2


@pytest.mark.parametrize("writing", [True, False])
def test_history_of_a_newer_version_is_refused_and_left_alone(file: Path, writing: bool) -> None:
    database = SqliteDatabase(file, writing=True)
    database.run("INSERT INTO history_version VALUES (99)")
    database.close()
    before = file.read_bytes()
    with pytest.raises(HistoryError, match=r"newer snapaudit \(version 99.*knows 1\)"):
        open_file(file, writing=writing)
    assert file.read_bytes() == before


def test_new_step_keeps_a_copy_of_what_was_there(file: Path) -> None:
    database = SqliteDatabase(file, writing=True)
    copy = file.with_name("copy.db")
    steps = (*STEPS, ("CREATE TABLE later (id {integer}) {plain}",))
    migrate(database, lambda _: database.backup(copy), steps)
    assert "later" in database.tables()
    migrate(database, lambda _: pytest.fail("there is nothing to do"), steps)
    database.close()
    assert moments(copy) == [NOW]
    assert copy.stat().st_mode & 0o777 == 0o600


def test_step_that_fails_leaves_the_history_as_it_was(file: Path) -> None:
    database = SqliteDatabase(file, writing=True)
    steps = (*STEPS, ("CREATE TABLE later (id {integer}) {plain}", "no SQL at all"))
    with pytest.raises(HistoryError, match="syntax error"):
        migrate(database, lambda _: None, steps)
    assert "later" not in database.tables()
    database.close()
    assert moments(file) == [NOW]


@pytest.mark.parametrize("writing", [True, False])
def test_file_that_is_no_database_is_refused_and_left_alone(tmp_path: Path, writing: bool) -> None:
    file, damage = tmp_path / "history.db", b"this is no database, whatever it is called" * 9
    file.write_bytes(damage)
    with pytest.raises(HistoryError, match=r"is damaged \(.*move it and its -wal and -shm files"):
        open_file(file, writing=writing)
    assert file.read_bytes() == damage


def damaged(file: Path) -> None:
    """A stretch of the file written over, as a bad sector would."""
    size = file.stat().st_size
    with file.open("r+b") as stream:
        stream.seek(size // 2)
        stream.write(b"\xa5" * (size // 4))


def test_damage_is_found_when_a_run_did_not_end(file: Path) -> None:
    damaged(file)
    file.with_name("history.db-wal").write_bytes(b"left behind")
    with pytest.raises(HistoryError, match="is damaged"):
        open_file(file, writing=True)


def test_damage_is_found_by_a_complete_look(file: Path) -> None:
    damaged(file)
    with open_file(file, writing=False) as store:
        try:
            faults = store.faults()
        except HistoryError as error:
            faults = (str(error),)
    assert faults


def test_database_of_something_else_is_refused_and_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "history.db"
    other = sqlite3.connect(file)
    other.execute("CREATE TABLE mine (id INTEGER)")
    other.close()
    before = file.read_bytes()
    with pytest.raises(HistoryError, match="is a database of something else"):
        open_file(file, writing=True)
    assert file.read_bytes() == before


def test_file_is_its_owners_alone(file: Path) -> None:
    assert file.stat().st_mode & 0o777 == 0o600


def test_link_is_not_followed_to_make_a_file(tmp_path: Path) -> None:
    (tmp_path / "history.db").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(HistoryError, match="cannot be used"):
        open_file(tmp_path / "history.db", writing=True)
    assert not (tmp_path / "elsewhere").exists()


def test_copy_is_made_while_others_read_and_write(file: Path) -> None:
    copy = file.with_name("copy.db")
    with open_file(file, writing=True) as writer, open_file(file, writing=False) as reader:
        ran(writer, large(), at=NOW + DAY)
        reader.backup(copy)
        ran(writer, large(), at=NOW + 2 * DAY)
    assert len(moments(copy)) == 2
    assert [path.name for path in file.parent.glob(".*")] == []
