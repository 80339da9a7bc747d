"""Cells of one row of a foreign sheet, each read as what it should be, or as unknown with a gap."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from snapaudit.model.inventory import Gap

_MIB = 2**20
_MOST_MIB = 2**53
_TRUTHS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
_FORMS = ("%Y/%m/%d %H:%M:%S", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%Y/%m/%d %H:%M")


class Cells:
    """One row by its columns; ``gaps`` are the cells that could not be understood."""

    def __init__(self, row: Mapping[str, object], place: str) -> None:
        self.row, self.place = row, place
        self.gaps: list[Gap] = []

    def text(self, column: str) -> str | None:
        """What is written there; None where nothing is."""
        value = self.row.get(column.casefold())
        if value is None:
            return None
        whole = isinstance(value, float) and value.is_integer()
        said = str(int(value)) if whole and isinstance(value, float) else str(value)
        return said if said.strip() else None

    def truth(self, column: str) -> bool | None:
        """True or false, as a sheet or as its words say it."""
        said = self.text(column)
        if said is None:
            return None
        found = _TRUTHS.get(said.strip().casefold())
        if found is None:
            self._miss(column, "is neither true nor false")
        return found

    def mib(self, column: str, tail: str = "") -> int | None:
        """A number of MiB as bytes; the column may say MB, which means the same there."""
        for unit in ("MiB", "MB"):
            name = f"{column} {unit} {tail}".strip()
            if self.row.get(name.casefold()) is not None:
                return self._number(name)
        return None

    def _number(self, column: str) -> int | None:
        said = (self.text(column) or "").replace(",", "")
        try:
            number = float(said)
        except ValueError:
            self._miss(column, f"{said[:40]!r} is no number")
            return None
        if not 0 <= number < _MOST_MIB:
            self._miss(column, f"{said[:40]!r} is no size")
            return None
        return round(number * _MIB)

    def moment(self, column: str) -> datetime | None:
        """A date with its time, which the sheet gives without a zone, as UTC.

        One in which day and month could be mistaken for each other is unknown.
        """
        value = self.row.get(column.casefold())
        if value is None:
            return None
        if isinstance(value, datetime):
            return value.replace(tzinfo=UTC)
        for form in _FORMS:
            try:
                return datetime.strptime(str(value).strip(), form).replace(tzinfo=UTC)
            except ValueError:
                continue
        self._miss(column, f"{str(value)[:40]!r} is no date that can be read without guessing")
        return None

    def _miss(self, column: str, reason: str) -> None:
        self.gaps.append(Gap(subject=f"{self.place}, {column}", reason=reason))
