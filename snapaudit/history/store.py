"""The store: everything that can be asked of the history, and the one thing told to it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import wraps
from pathlib import Path
from types import TracebackType
from typing import Concatenate, ParamSpec, TypeVar

from snapaudit.errors import HistoryError
from snapaudit.history import foretelling, reading
from snapaudit.history.creators import with_creators
from snapaudit.history.database import Database
from snapaudit.history.difference import changes, moments
from snapaudit.history.forecasting import nearest_first
from snapaudit.history.known import known
from snapaudit.history.migrating import migrate, refuse_newer, version
from snapaudit.history.postgres import PostgresDatabase
from snapaudit.history.recording import Recording, record
from snapaudit.history.retention import keep
from snapaudit.history.sqlite import SqliteDatabase
from snapaudit.model.check import Compared
from snapaudit.model.finding import Audit
from snapaudit.model.history import DatastoreSeries, Diff, Keeping, RunRecord
from snapaudit.model.inventory import Inventory
from snapaudit.model.past import NOTHING_REMEMBERED, Forecast, Past

Asked = ParamSpec("Asked")
Answer = TypeVar("Answer")

_NO_VALUE = (ValueError, TypeError, LookupError, ArithmeticError, AttributeError, RecursionError)
"""What a value that is none of ours does to those who read it."""


def _read(
    method: Callable[Concatenate[Store, Asked], Answer],
) -> Callable[Concatenate[Store, Asked], Answer]:
    """A question to a history that somebody else may have written to as well."""

    @wraps(method)
    def asked(store: Store, /, *args: Asked.args, **words: Asked.kwargs) -> Answer:
        try:
            return method(store, *args, **words)
        except _NO_VALUE as error:
            raise HistoryError(
                f"{store.place}: holds something that no run wrote ({error}). Restore a backup of "
                "it, or move it away: a new history is begun then"
            ) from error

    return asked


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

    @_read
    def record(self, recording: Recording) -> int:
        """Remember a run; its id. Only a store that was opened to write can."""
        return record(self._database, recording)

    @_read
    def runs(
        self, *, limit: int | None = None, until: datetime | None = None
    ) -> tuple[RunRecord, ...]:
        """The remembered runs, the newest first."""
        return () if self._is_empty else reading.runs(self._database, limit=limit, until=until)

    @_read
    def datastores(
        self, *, since: datetime | None = None, until: datetime | None = None
    ) -> tuple[DatastoreSeries, ...]:
        """How full every datastore was, run by run."""
        if self._is_empty:
            return ()
        return reading.datastores(self._database, since=since, until=until)

    @_read
    def past(self, inventories: Sequence[Inventory], now: datetime) -> Past:
        """What was remembered before ``now``, with these inventories as the latest reading."""
        if self._is_empty:
            return NOTHING_REMEMBERED
        return foretelling.past(self._database, inventories, now)

    @_read
    def with_creators(self, inventories: Sequence[Inventory]) -> tuple[Inventory, ...]:
        """The inventories, with creators that an earlier run was told and this one was not."""
        if self._is_empty:
            return tuple(inventories)
        return with_creators(self._database, inventories)

    @_read
    def forecasts(self, now: datetime) -> tuple[Forecast, ...]:
        """Where every datastore is heading by what was recorded, the nearest end first."""
        if self._is_empty:
            return ()
        return nearest_first(foretelling.forecasts(self._database, now))

    @_read
    def changes(self, since: datetime, until: datetime) -> Diff:
        """What changed between the last runs up to two moments."""
        if self._is_empty:
            raise HistoryError(f"{self.place}: no run is remembered yet")
        return changes(self._database, since, until)

    @_read
    def endpoints(self) -> tuple[str, ...]:
        """The names of all endpoints that any run was about."""
        return () if self._is_empty else reading.endpoints(self._database)

    @_read
    def latest_moments(self, until: datetime) -> tuple[datetime, ...]:
        """When the last two runs up to a moment were that can be compared, the latest first."""
        return () if self._is_empty else tuple(moments(self._database, until))

    @_read
    def known(self, audit: Audit, at: datetime, tolerance: float) -> Compared | None:
        """The findings of an audit of a moment beside those of the last run before it, if any."""
        return None if self._is_empty else known(self._database, audit, at, tolerance)

    def keep(self, keeping: Keeping) -> int:
        """Let go of details that are older than they are kept; how many runs lost theirs."""
        return keep(self._database, keeping)

    def faults(self) -> tuple[str, ...]:
        """What a complete look at everything stored finds wrong."""
        return self._database.faults()

    def backup(self, target: Path) -> None:
        """Write a copy that can be opened by itself."""
        self._database.backup(target)


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
