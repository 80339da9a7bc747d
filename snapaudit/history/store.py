"""The store: everything that can be asked of the history, and the one thing told to it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from types import TracebackType

from snapaudit.history import reading
from snapaudit.history.database import Database
from snapaudit.history.migrating import migrate, refuse_newer, version
from snapaudit.history.postgres import PostgresDatabase
from snapaudit.history.recording import Recording, record
from snapaudit.history.sqlite import SqliteDatabase
from snapaudit.model.history import DatastoreSeries, RunRecord


class Store:
    """An opened history, to be closed in the end. Everything raises HistoryError."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._is_empty = version(database) == 0
        refuse_newer(database, version(database))

    def __enter__(self) -> Store:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the database."""
        self._database.close()

    @property
    def place(self) -> str:
        """Where it lies, in words."""
        return self._database.place

    def record(self, recording: Recording) -> int:
        """Remember a run; its id. Only a store that was opened to write can."""
        return record(self._database, recording)

    def runs(
        self, *, limit: int | None = None, until: datetime | None = None
    ) -> tuple[RunRecord, ...]:
        """The remembered runs, the newest first."""
        return () if self._is_empty else reading.runs(self._database, limit=limit, until=until)

    def datastores(
        self, *, since: datetime | None = None, until: datetime | None = None
    ) -> tuple[DatastoreSeries, ...]:
        """How full every datastore was, run by run."""
        if self._is_empty:
            return ()
        return reading.datastores(self._database, since=since, until=until)


def open_file(path: Path, *, writing: bool) -> Store:
    """The history in a file. To write, the file is made or brought up to this version first.

    Before a step changes it, a copy is kept beside it as ``history.db.version-N``.
    """
    database = SqliteDatabase(path, writing=writing)
    return _opened(database, writing=writing, keep_copy=_copier(database, path))


def _copier(database: Database, path: Path) -> Callable[[int], None]:
    return lambda number: database.backup(path.with_name(f"{path.name}.version-{number}"))


def _opened(database: Database, *, writing: bool, keep_copy: Callable[[int], None]) -> Store:
    try:
        if writing:
            migrate(database, keep_copy)
        return Store(database)
    except BaseException:
        database.close()
        raise


def open_server(url: str, password: str | None, *, writing: bool) -> Store:
    """The history on a PostgreSQL server. Before a new step its owner keeps the copy, not we."""
    database = PostgresDatabase(url, password, writing=writing)
    return _opened(database, writing=writing, keep_copy=lambda _number: None)
