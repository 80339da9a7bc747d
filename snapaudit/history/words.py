"""Words: texts that repeat from row to row, each stored once under a small number."""

from __future__ import annotations

from collections.abc import Iterable

from snapaudit.history.database import Database
from snapaudit.history.identity import storable


class Words:
    """The numbers of texts in one table. To be used within a transaction that writes."""

    def __init__(self, database: Database, table: str = "word", column: str = "text") -> None:
        self._database, self._table, self._column = database, table, column
        rows = database.rows(f"SELECT {column}, id FROM {table}")
        self._numbers: dict[str, int] = {str(text): int(number) for text, number in rows}

    def learn(self, texts: Iterable[str]) -> None:
        """Give a number to each text that has none yet, in the order of the texts."""
        new = sorted({storable(text) for text in texts} - self._numbers.keys())
        first = max(self._numbers.values(), default=0) + 1
        numbered = {text: first + place for place, text in enumerate(new)}
        rows = [(number, text) for text, number in numbered.items()]
        self._database.insert(self._table, ("id", self._column), rows)
        self._numbers |= numbered

    def __getitem__(self, text: str) -> int:
        number = self._numbers.get(text)
        return self._numbers[storable(text)] if number is None else number

    def maybe(self, text: str | None) -> int | None:
        """The number of a text, None of none."""
        return None if text is None else self[text]
