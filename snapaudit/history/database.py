"""What the history needs of a database, so that a file and a server are used alike."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Protocol

Row = tuple[Any, ...]


class Database(Protocol):
    """One connection. SQL has ``?`` where values go; all that goes wrong is a HistoryError.

    ``place`` names it for people, without a password. ``types`` are its words for the columns of a
    new table: ``integer``, ``real``, ``text``, and how a table is stored: ``plain``, or ``compact``
    by its key.
    """

    place: str

    @property
    def types(self) -> Mapping[str, str]:
        """Its words for a new table."""
        ...

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[Row]:
        """What a query answers."""
        ...

    def run(self, sql: str, values: Sequence[Any] = ()) -> int:
        """Carry out a statement; how many rows it changed."""
        ...

    def insert(
        self, table: str, columns: Sequence[str], rows: Iterable[Row], conflict: str = ""
    ) -> None:
        """Add many rows; ``conflict`` is the SQL for those whose key is there already."""
        ...

    def transaction(self) -> AbstractContextManager[None]:
        """All of it or nothing; whoever else wants to write waits."""
        ...

    def tables(self) -> frozenset[str]:
        """The tables there are."""
        ...

    def faults(self) -> tuple[str, ...]:
        """What a complete look at everything stored finds wrong; nothing where all is well."""
        ...

    def backup(self, target: Path) -> None:
        """Write a copy that can be opened by itself."""
        ...

    def close(self) -> None:
        """Let go of it."""
        ...
