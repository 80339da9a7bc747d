"""JSON documents: inventories, audits and plans, read and written; gzip by the file's ending."""

from __future__ import annotations

import gzip
import io
import json
import zlib
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from snapaudit.codec.writing import is_piecemeal, written
from snapaudit.errors import InputError
from snapaudit.model.inventory import INVENTORY_SCHEMA, Inventory
from snapaudit.model.soundness import faults

if TYPE_CHECKING:
    from pydantic import TypeAdapter, ValidationError

# pydantic is imported when the first document is read or written: most commands start without it.
MAX_BYTES = 4 * 2**30
_PIECE = 2**20
Record = TypeVar("Record")


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    from pydantic import TypeAdapter

    return TypeAdapter(kind)


def to_json(record: Any, *, indent: int | None = 2) -> str:
    """A record as JSON text, ending in a newline; equal records give equal bytes."""
    return to_bytes(record, indent=indent).decode()


def to_bytes(record: Any, *, indent: int | None = 2) -> bytes:
    """The same as UTF-8. Of a large fleet it is hundreds of megabytes, and text would double it."""
    try:
        kind: Any = type(record)
        if indent == 2 and is_piecemeal(record):
            return written(record, lambda kind, value: _adapter(kind).dump_json(value, indent=2))
        return _adapter(kind).dump_json(record, indent=indent) + b"\n"
    except ValueError as error:
        raise InputError("output", f"cannot be written as JSON: {error}") from error


def to_document(record: Any) -> dict[str, Any]:
    """A record as its JSON document: texts, numbers, null, lists and objects with these."""
    kind: Any = type(record)
    return dict(_adapter(kind).dump_python(record, mode="json"))


def from_document(kind: type[Record], document: Mapping[str, Any], source: str) -> Record:
    """The record that a JSON document holds. Raises InputError naming the field that is wrong.

    Fields this version does not know are passed over: a schema only ever gains fields.
    """
    from pydantic import ValidationError

    try:
        known: Any = kind
        record: Record = _adapter(known).validate_json(json.dumps(document), strict=True)
    except ValidationError as error:
        raise InputError(source, _first_fault(error)) from error
    return record


def from_json(kind: type[Record], raw: bytes, source: str) -> Record:
    """The record that JSON text holds. Raises InputError naming the field that is wrong."""
    from pydantic import ValidationError

    try:
        known: Any = kind
        record: Record = _adapter(known).validate_json(raw, strict=True)
    except ValidationError as error:
        raise InputError(source, _first_fault(error)) from error
    return record


def inventories_document(inventories: Sequence[Inventory], *, compress: bool) -> bytes:
    """One document, or a list when there are several or none; gzip without a date if asked."""
    if len(inventories) == 1:
        body = to_bytes(inventories[0])
    else:
        adapter = _adapter(tuple[Inventory, ...])
        body = adapter.dump_json(tuple(inventories), indent=2) + b"\n"
    return gzip.compress(body, mtime=0) if compress else body


def read_inventories(path: Path) -> tuple[Inventory, ...]:
    """The inventories of a file, one or a list. Raises InputError with the place of the fault.

    Fields this version does not know are passed over: a schema only ever gains fields.
    """
    if path.suffix.casefold() == ".xlsx":
        from snapaudit.codec.rvtools import read_export

        return _sound(str(path), read_export(path))
    return _from_json_file(str(path), _read(path))


def _from_json_file(source: str, raw: bytes) -> tuple[Inventory, ...]:
    from pydantic_core import from_json as parsed

    try:
        document = parsed(raw)
    except ValueError as error:
        raise InputError(source, f"is not complete JSON: {error}") from error
    for number, item in enumerate(document if isinstance(document, list) else [document]):
        _check_schema(source, item, number)
    return _inventories(source, raw, is_list=isinstance(document, list))


def _read(path: Path) -> bytes:
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as stream:
            return _whole(stream)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InputError(str(path), f"is cut or no gzip file: {error}") from error
    except OSError as error:
        raise InputError(str(path), f"cannot be read: {error.strerror}") from error


def _whole(stream: io.BufferedIOBase) -> bytes:
    """All there is, in pieces: room for the most that may come is not asked for beforehand."""
    whole = io.BytesIO()
    while whole.tell() < MAX_BYTES and (piece := stream.read(_PIECE)):
        whole.write(piece)
    return whole.getvalue()


def _check_schema(source: str, document: object, number: int) -> None:
    schema = document.get("schema") if isinstance(document, dict) else None
    if schema != INVENTORY_SCHEMA:
        message = f"expected schema {INVENTORY_SCHEMA!r}, found {schema!r} (document {number + 1})"
        raise InputError(source, message)


def _inventories(source: str, raw: bytes, *, is_list: bool) -> tuple[Inventory, ...]:
    from pydantic import ValidationError

    adapter = _adapter(tuple[Inventory, ...] if is_list else Inventory)
    try:
        read = adapter.validate_json(raw, strict=True)
    except ValidationError as error:
        raise InputError(source, _first_fault(error)) from error
    return _sound(source, read if is_list else (read,))


def _sound(source: str, inventories: tuple[Inventory, ...]) -> tuple[Inventory, ...]:
    for inventory in inventories:
        for fault in faults(inventory):
            raise InputError(source, fault)
    if not inventories:
        raise InputError(source, "holds no inventory")
    return inventories


def _first_fault(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    path = ".".join(str(step) for step in first["loc"])
    return f"{path or 'document'}: {first['msg'].lower()}"
