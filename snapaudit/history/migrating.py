"""Bring a database up to this version of the program, one numbered step after the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from snapaudit.errors import HistoryError
from snapaudit.history.database import Database
from snapaudit.history.schema import STEPS

Steps = Sequence[Sequence[str]]


def version(database: Database) -> int:
    """How many steps it has taken; 0 for one without any table."""
    if "history_version" not in database.tables():
        return 0
    [(found,)] = database.rows("SELECT MAX(version) FROM history_version")
    return int(found or 0)


def migrate(
    database: Database, keep_copy: Callable[[int], None] = lambda _: None, steps: Steps = STEPS
) -> None:
    """Take the steps that are missing, each in a transaction of its own.

    ``keep_copy`` is called before anything that holds data is changed. Raises HistoryError for a
    database of a newer version, which is left as it is.
    """
    found = version(database)
    refuse_newer(database, found, len(steps))
    if 0 < found < len(steps):
        keep_copy(found)
    for number in range(found + 1, len(steps) + 1):
        _take(database, number, steps[number - 1])


def refuse_newer(database: Database, found: int, known: int = len(STEPS)) -> None:
    """Raise HistoryError where a later program has changed the tables."""
    if found > known:
        raise HistoryError(
            f"{database.place}: was written by a newer snapaudit (version {found} of the history, "
            f"this program knows {known}); nothing is changed. Use that program here too"
        )


def _take(database: Database, number: int, statements: Sequence[str]) -> None:
    with database.transaction():
        if version(database) >= number:  # somebody else was faster
            return
        if number == 1:
            table = "CREATE TABLE history_version (version {integer} PRIMARY KEY) {plain}"
            database.run(table.format_map(database.types))
        for statement in statements:
            database.run(statement.format_map(database.types))
        database.insert("history_version", ("version",), [(number,)])
