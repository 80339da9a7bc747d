"""The history on a server that several people share: PostgreSQL, by its URL.

Tables lie in a schema of their own, ``snapaudit``, so that the database may serve others too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from snapaudit.errors import HistoryError
from snapaudit.history.database import Row

if TYPE_CHECKING:
    import psycopg

# Any number will do that nobody else locks by: it is "SnaA" again.
_LOCK = 0x536E6141
_PATIENCE = "10s"
_TYPES = MappingProxyType(
    {"integer": "BIGINT", "real": "DOUBLE PRECISION", "text": "TEXT", "plain": "", "compact": ""}
)


class PostgresDatabase:
    """A connection to a server; the schema is made when it is opened to be written."""

    types: Mapping[str, str] = _TYPES

    def __init__(self, url: str, password: str | None, *, writing: bool) -> None:
        parts = urlsplit(url)
        # Without user and query: the query may hold a password.
        self.place = f"postgresql://{parts.hostname or ''}{parts.path}"
        try:
            import psycopg
        except ImportError as error:
            raise HistoryError(
                "history: PostgreSQL needs an extra: pip install 'snapaudit[postgres]'"
            ) from error
        self._errors = psycopg
        with self._told():
            self._connection: psycopg.Connection[Row] = psycopg.connect(
                url,
                autocommit=True,
                connect_timeout=10,
                application_name="snapaudit",
                password=password,
            )
        try:
            self._begin(writing=writing)
        except BaseException:
            self._connection.close()
            raise

    def _begin(self, *, writing: bool) -> None:
        self.run(f"SET lock_timeout = '{_PATIENCE}'")
        if writing and not self.rows("SELECT 1 FROM pg_namespace WHERE nspname = 'snapaudit'"):
            self.run("CREATE SCHEMA IF NOT EXISTS snapaudit")
        self.run("SET search_path TO snapaudit")
        if not writing:
            self.run("SET default_transaction_read_only = on")

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[Row]:
        """What a query answers."""
        with self._told():
            return self._connection.execute(_in_its_words(sql), values).fetchall()

    def run(self, sql: str, values: Sequence[Any] = ()) -> int:
        """Carry out a statement; how many rows it changed."""
        with self._told():
            return self._connection.execute(_in_its_words(sql), values).rowcount

    def insert(
        self, table: str, columns: Sequence[str], rows: Iterable[Row], conflict: str = ""
    ) -> None:
        """Add many rows; ``conflict`` is the SQL for those whose key is there already."""
        names = ", ".join(columns)
        with self._told(), self._connection.transaction(), self._connection.cursor() as cursor:
            if not conflict:
                with cursor.copy(_bytes(f"COPY {table} ({names}) FROM STDIN")) as copy:
                    for row in rows:
                        copy.write_row(row)
                return
            draft = f"CREATE TEMP TABLE draft (LIKE {table}) ON COMMIT DROP"
            cursor.execute(_bytes(draft))
            with cursor.copy(_bytes(f"COPY draft ({names}) FROM STDIN")) as copy:
                for row in rows:
                    copy.write_row(row)
            merge = f"INSERT INTO {table} ({names}) SELECT {names} FROM draft {conflict}"
            cursor.execute(_bytes(merge))
            cursor.execute(b"DROP TABLE draft")

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All of it or nothing; it waits for whoever writes now, and then nobody else may."""
        with self._told(), self._connection.transaction():
            self.rows("SELECT pg_advisory_xact_lock(?)", (_LOCK,))
            yield

    def tables(self) -> frozenset[str]:
        """The tables there are."""
        found = self.rows("SELECT tablename FROM pg_tables WHERE schemaname = 'snapaudit'")
        return frozenset(str(name) for (name,) in found)

    def faults(self) -> tuple[str, ...]:
        """Rows that cannot be read. That pages are sound, the server itself sees to."""
        for table in sorted(self.tables()):
            self.rows(f"SELECT COUNT(*) FROM {table}")
        return ()

    def backup(self, target: Path) -> None:
        """Not ours to make: whoever runs the server keeps its backups."""
        raise HistoryError(f"{self.place}: use pg_dump --schema=snapaudit for a copy ({target})")

    def close(self) -> None:
        """Let go of it."""
        self._connection.close()

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except self._errors.errors.LockNotAvailable as error:
            said = "another run is writing to it; waited, and gave up"
            raise HistoryError(f"{self.place}: {said}") from error
        except self._errors.Error as error:
            first = next(iter(str(error).splitlines()), type(error).__name__)
            raise HistoryError(f"{self.place}: {first}") from error


def _in_its_words(sql: str) -> bytes:
    return _bytes(sql.replace("?", "%s"))


def _bytes(sql: str) -> bytes:
    """Bytes, which the client takes as they are; its types want every text to be a literal."""
    return sql.encode()
