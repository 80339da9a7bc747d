"""The history as a file: SQLite from the standard library, with a write-ahead log.

A run is one transaction, and each is synced (``synchronous=FULL``): with the write-ahead log
``NORMAL`` keeps the file sound, but a power cut may take back what was committed last, and one sync
a run costs nothing that anybody notices. Source: sqlite.org/wal.html, sqlite.org/pragma.html.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from snapaudit.errors import HistoryError
from snapaudit.history.database import Row

# "SnaA": so that a file of something else is never taken for a history.
APPLICATION_ID = 0x536E6141
PATIENCE = 10.0
_STRICT_SINCE = (3, 37, 0)


class SqliteDatabase:
    """A database file, made for its owner alone when it is opened to be written and not there."""

    def __init__(self, path: Path, *, writing: bool, patience: float = PATIENCE) -> None:
        self._path = path
        self.place = str(path)
        is_strict = sqlite3.sqlite_version_info >= _STRICT_SINCE
        strict = "STRICT" if is_strict else ""
        self.types = {
            "integer": "INTEGER",
            "real": "REAL",
            "text": "TEXT",
            "plain": strict,
            "compact": f"WITHOUT ROWID{', STRICT' if is_strict else ''}",
        }
        with self._told():
            did_not_end = _has_pages(path.with_name(f"{path.name}-wal"))
            self._connection = _connect(path, writing=writing, patience=patience)
        try:
            self._begin(writing=writing, did_not_end=did_not_end)
        except BaseException:
            self._connection.close()
            raise

    def _begin(self, *, writing: bool, did_not_end: bool) -> None:
        with self._told():
            [(identity,)] = self.rows("PRAGMA application_id")
            if identity != APPLICATION_ID and self.tables():
                raise HistoryError(f"{self.place}: is a database of something else; move it away")
            if writing:
                self.rows("PRAGMA journal_mode = WAL")
                self.run("PRAGMA synchronous = FULL")
                self.run("PRAGMA foreign_keys = ON")
                if identity != APPLICATION_ID:
                    self.run(f"PRAGMA application_id = {APPLICATION_ID}")
            # The log outlives only a process that ended in the middle, or one at work beside us.
            if did_not_end:
                self._refuse_damaged("PRAGMA quick_check(1)")

    def _refuse_damaged(self, pragma: str) -> None:
        found = [str(row[0]) for row in self.rows(pragma)]
        if found != ["ok"]:
            raise HistoryError(_damaged(self.place, found[0] if found else "no answer"))

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[Row]:
        """What a query answers."""
        with self._told():
            return self._connection.execute(sql, values).fetchall()

    def run(self, sql: str, values: Sequence[Any] = ()) -> int:
        """Carry out a statement; how many rows it changed."""
        with self._told():
            return self._connection.execute(sql, values).rowcount

    def insert(
        self, table: str, columns: Sequence[str], rows: Iterable[Row], conflict: str = ""
    ) -> None:
        """Add many rows; ``conflict`` is the SQL for those whose key is there already."""
        marks = ", ".join("?" * len(columns))
        sql = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks}) {conflict}"
        with self._told():
            self._connection.executemany(sql, rows)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All of it or nothing; it waits for whoever writes now, and then nobody else may."""
        self.run("BEGIN IMMEDIATE")
        try:
            yield
            self.run("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                self.run("ROLLBACK")
            raise

    def tables(self) -> frozenset[str]:
        """The tables there are."""
        found = self.rows("SELECT name FROM sqlite_master WHERE type = 'table'")
        return frozenset(str(name) for (name,) in found)

    def faults(self) -> tuple[str, ...]:
        """What a complete look at everything stored finds wrong; nothing where all is well."""
        found = [str(row[0]) for row in self.rows("PRAGMA integrity_check(20)")]
        lost = self.rows("PRAGMA foreign_key_check")
        found += [f"a row of {row[0]} belongs to nothing" for row in lost[:20]]
        return tuple(line for line in found if line != "ok")

    def backup(self, target: Path) -> None:
        """Write a copy that can be opened by itself; a copy of that name is replaced."""
        draft = target.with_name(f".{target.name}.draft")
        draft.unlink(missing_ok=True)
        with self._told():
            os.close(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
            copy = sqlite3.connect(draft, isolation_level=None)
            try:
                self._connection.backup(copy)
            finally:
                copy.close()
            draft.replace(target)

    def close(self) -> None:
        """Let go of it. The last one to do so folds the log into the file."""
        self._connection.close()

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise HistoryError(_told(self._path, error)) from error
        except UnicodeDecodeError as error:
            # Raised in place of an error that repeats bytes of the file.
            raise HistoryError(_damaged(self.place, "it holds text that is none")) from error
        except OSError as error:
            raise HistoryError(f"{self.place}: cannot be used: {error.strerror}") from error


def _connect(path: Path, *, writing: bool, patience: float) -> sqlite3.Connection:
    if writing and not path.exists():
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_NOFOLLOW, 0o600))
    # In a folder nobody may write to, readers cannot share memory; then nobody changes the file.
    is_still = not os.access(path.parent, os.W_OK) and not _has_pages(Path(f"{path}-wal"))
    mode = "rw" if writing else "ro"
    uri = f"{path.absolute().as_uri()}?mode={mode}{'&immutable=1' if is_still else ''}"
    return sqlite3.connect(uri, uri=True, isolation_level=None, timeout=patience)


def _has_pages(log: Path) -> bool:
    return log.exists() and log.stat().st_size > 0


def _damaged(place: str, what: str) -> str:
    return (
        f"{place}: is damaged ({what}); nothing is written to it. Restore a backup of it, or move "
        "it and its -wal and -shm files away: a new history is begun then"
    )


def _told(path: Path, error: sqlite3.Error) -> str:
    """What went wrong in the words of whoever has to repair it."""
    name = getattr(error, "sqlite_errorname", None) or ""
    for beginning, said in (
        ("SQLITE_BUSY", "another run is writing to it; waited, and gave up"),
        ("SQLITE_LOCKED", "another run is writing to it; waited, and gave up"),
        ("SQLITE_FULL", f"the disk is full; free space for {path.parent}"),
        ("SQLITE_READONLY", f"may not be written; look at the rights of it and of {path.parent}"),
        ("SQLITE_CANTOPEN", f"cannot be opened; look at the rights of it and of {path.parent}"),
        ("SQLITE_IOERR", f"the disk of {path.parent} does not work, or is full ({error})"),
        ("SQLITE_TOOBIG", f"something is too large for it ({error})"),
    ):
        if name.startswith(beginning):
            return f"{path}: {said}"
    if name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")):
        return _damaged(str(path), str(error))
    return f"{path}: {error}"
