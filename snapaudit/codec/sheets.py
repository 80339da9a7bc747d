"""Sheets of somebody else's workbook, as rows by the names of their columns.

A workbook is a zip archive of XML, and it may come from anywhere: its size unpacked is known before
anything is unpacked, a document that declares a type is refused, and nothing in it is computed.
"""

from __future__ import annotations

import warnings
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any
from xml.parsers import expat

from snapaudit.errors import InputError

MAX_FILE_BYTES = 256 * 2**20
MAX_UNPACKED_BYTES = 2**30
MAX_MEMBERS = 2_000
MAX_ROWS = 2_000_000
_HEAD_BYTES = 64 * 2**10
_Row = Mapping[str, object]


class Sheets:
    """An opened workbook. Column names are compared without case and outer blanks."""

    def __init__(self, book: Any, source: str) -> None:
        self._book, self._source = book, source

    @property
    def names(self) -> tuple[str, ...]:
        """The names of its sheets, in their order."""
        return tuple(self._book.sheetnames)

    @property
    def created_at(self) -> datetime | None:
        """When the workbook says that it was made, as it says it: without a zone."""
        found: datetime | None = self._book.properties.created
        return found

    def rows(self, name: str, required: Sequence[str] = ()) -> Iterator[tuple[int, _Row]]:
        """Each row below the head with its number; empty cells are left out, empty rows too.

        A sheet that is not there has no rows. Raises InputError where a required column is missing.
        """
        if name not in self.names:
            return
        cells = self._book[name].iter_rows(max_row=MAX_ROWS, values_only=True)
        head = [str(cell or "").strip().casefold() for cell in next(cells, ())]
        for column in required:
            if column.casefold() not in head:
                raise InputError(f"{self._source}, sheet {name}", f"has no column {column!r}")
        for number, row in enumerate(cells, 2):
            found = {key: cell for key, cell in zip(head, row, strict=False) if _is_said(cell)}
            if found:
                yield number, found


def _is_said(cell: object) -> bool:
    return cell is not None and cell != ""


@contextmanager
def opened_workbook(path: Path) -> Iterator[Sheets]:
    """The workbook, read row by row. Raises InputError for what is none, or not to be trusted."""
    source = str(path)
    try:
        import openpyxl
    except ImportError as error:
        need = "reading a workbook needs: pip install 'snapaudit[rvtools]'"
        raise InputError(source, need) from error
    try:
        with path.open("rb") as stream:
            _look_first(stream, source)
            with warnings.catch_warnings():
                # It warns of looks it does not keep, which nobody asked for.
                warnings.simplefilter("ignore", UserWarning)
                book = openpyxl.load_workbook(
                    stream, read_only=True, data_only=True, keep_links=False
                )
                yield Sheets(book, source)
            book.close()
    except InputError:
        raise
    except OSError as error:
        raise InputError(source, f"cannot be read: {error.strerror or error}") from error
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError) as error:
        # RuntimeError: it wants a password, or is packed in a way that is not known here.
        raise InputError(source, f"is cut or no xlsx file: {error}") from error
    except (
        LookupError,
        ValueError,
        TypeError,
        AttributeError,
        SyntaxError,
        ArithmeticError,
    ) as error:
        reason = f"is no workbook that can be read: {type(error).__name__}: {error}"
        raise InputError(source, reason) from error


def _look_first(stream: Any, source: str) -> None:
    size = stream.seek(0, 2)
    if size > MAX_FILE_BYTES:
        raise InputError(source, f"is larger than {MAX_FILE_BYTES // 2**20} MiB")
    with zipfile.ZipFile(stream) as archive:
        members = archive.infolist()
        if len(members) > MAX_MEMBERS:
            raise InputError(source, f"has {len(members):,} parts; a workbook has fewer")
        unpacked = sum(member.file_size for member in members)
        if unpacked > MAX_UNPACKED_BYTES:
            raise InputError(source, f"would unpack to {unpacked // 2**20:,} MiB")
        for member in members:
            if member.filename.endswith((".xml", ".rels")):
                with archive.open(member) as part:
                    _refuse_type(part.read(_HEAD_BYTES), f"{source}, {member.filename}")
    stream.seek(0)


def _refuse_type(head: bytes, source: str) -> None:
    """A document type comes before the first element, and entities need one."""

    def refuse(*_: object) -> None:
        raise InputError(source, "declares a document type, which no workbook needs")

    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = refuse
    try:
        parser.Parse(head, False)
    except expat.ExpatError as error:
        raise InputError(source, f"is no XML: {error}") from error
