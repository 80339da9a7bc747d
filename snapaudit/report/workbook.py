"""Workbook: sheets of rows as xlsx, in which no cell is ever a formula or a link."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import xlsxwriter

from snapaudit.report.escape import xlsx_text

_OPTIONS = {
    "in_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
}
_GIB = 2**30
Cell = str | int | float | datetime | None
Row = tuple[Cell, ...]


def workbook(title: str, created_at: datetime, sheets: Mapping[str, Iterable[Row]]) -> bytes:
    """One sheet for each name, with its head as first row; None is an empty cell.

    Its creation date is the one given, so that equal rows give equal bytes.
    """
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, _OPTIONS) as book:
        book.set_properties({"title": title, "created": _naive(created_at)})
        writer = _Writer(book)
        for name, rows in sheets.items():
            writer.sheet(name, rows)
    return out.getvalue()


def gib(number: int | None) -> float | None:
    """Bytes as GiB, unknown as unknown."""
    return None if number is None else round(number / _GIB, 3)


def yes(answer: bool) -> str:
    """A truth as a word, which sheets of all languages keep."""
    return "yes" if answer else "no"


def _naive(at: datetime) -> datetime:
    """Sheets know no time zones; all our times are UTC."""
    return at.replace(tzinfo=None)


class _Writer:
    """Sheets of one workbook, all of the same looks."""

    def __init__(self, book: Any) -> None:
        self._book = book
        self._head = book.add_format({"bold": True, "bottom": 1, "bg_color": "#E8EEF2"})
        self._time = book.add_format({"num_format": "yyyy-mm-dd hh:mm"})
        self._number = book.add_format({"num_format": "#,##0.0"})

    def sheet(self, name: str, rows: Iterable[Row]) -> None:
        """A sheet whose first row is its head, fixed and with filters."""
        sheet = self._book.add_worksheet(name)
        number = width = 0
        for number, row in enumerate(rows):
            width = max(width, len(row))
            for column, cell in enumerate(row):
                self._write(sheet, number, column, cell)
        sheet.freeze_panes(1, 0)
        sheet.autofilter(0, 0, number, width - 1)
        sheet.set_column(0, width - 1, 18)

    def _write(self, sheet: Any, row: int, column: int, cell: Cell) -> None:
        match cell:
            case None:
                return
            case str():
                sheet.write_string(row, column, xlsx_text(cell), None if row else self._head)
            case datetime():
                sheet.write_datetime(row, column, _naive(cell), self._time)
            case bool():
                sheet.write_boolean(row, column, cell)
            case float():
                sheet.write_number(row, column, cell, self._number)
            case int():
                sheet.write_number(row, column, cell)
