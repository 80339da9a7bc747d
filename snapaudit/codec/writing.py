"""Large records as JSON, a piece at a time: a whole fleet is hundreds of megabytes."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import fields, is_dataclass
from typing import Any, get_type_hints

_AT_ONCE = 50
_INDENT = b"  "

Dump = Callable[[Any, Any], bytes]


def written(record: Any, dump: Dump) -> bytes:
    """The same bytes as ``dump(type(record), record)``, with little memory beside them.

    ``dump`` writes a value of a type as JSON that is indented by two spaces. JSON has no line break
    inside its texts, so what stands deeper can be set in afterwards.
    """
    hints = get_type_hints(type(record), include_extras=True)
    names = [field.name for field in fields(record)]
    out = io.BytesIO()
    for number, name in enumerate(names):
        out.write(b"{\n" if number == 0 else b",\n")
        out.write(_INDENT + dump(str, name) + b": ")
        _write(out, hints[name], getattr(record, name), dump)
    out.write(b"\n}\n")
    return out.getvalue()


def is_piecemeal(record: Any) -> bool:
    """Whether there is a list in it that is long enough to be worth the trouble."""
    if not is_dataclass(record):
        return False
    values = (getattr(record, field.name) for field in fields(record))
    return any(isinstance(value, tuple) and len(value) > _AT_ONCE for value in values)


def _write(out: io.BytesIO, kind: Any, value: Any, dump: Dump) -> None:
    if not isinstance(value, tuple) or not value:
        out.write(_set_in(dump(kind, value)))
        return
    for start in range(0, len(value), _AT_ONCE):
        out.write(b"[\n" if start == 0 else b",\n")
        out.write(_items(kind, value[start : start + _AT_ONCE], dump))
    out.write(b"\n" + _INDENT + b"]")


def _items(kind: Any, values: Sequence[Any], dump: Dump) -> bytes:
    whole = dump(kind, values)
    return _INDENT + _set_in(whole.removeprefix(b"[\n").removesuffix(b"\n]"))


def _set_in(text: bytes) -> bytes:
    return text.replace(b"\n", b"\n" + _INDENT)
