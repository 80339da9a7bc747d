"""Entries of a YAML list, added to and cut out of a file that a person wrote, line by line.

Comments, order and spelling of all the rest stay as they are. What comes out is read again, and
refused unless it says exactly what it should.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from snapaudit.codec.yaml import Node, parse_yaml
from snapaudit.errors import InputError

_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9._/-]*(?: [A-Za-z0-9._/-]+)*|[0-9]{4}-[0-9]{2}-[0-9]{2}")
_WORDS = frozenset(("true", "false", "null", "yes", "no", "on", "off", "y", "n"))
_NOTHING = r"\s*:\s*(?:\[\s*\]|~|null)?\s*?(\s#.*)?"
_BELOW_A_KEY = 2
_UNREADABLE = object()
_BY_HAND = "is written in a way that cannot be edited safely; edit it by hand"


def scalar(text: str) -> str:
    """The text as a YAML scalar on one line, quoted unless it is plain words or a day."""
    if _PLAIN.fullmatch(text) and text.casefold() not in _WORDS:
        return text
    return '"' + "".join(map(_escaped, text)) + '"'


def _escaped(char: str) -> str:
    if char in '"\\':
        return f"\\{char}"
    if char.isprintable():
        return char
    code = ord(char)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else _wide(code)


def _wide(code: int) -> str:
    return f"\\U{code:08x}"


def flow(values: Mapping[str, str | tuple[str, ...]] | Sequence[str]) -> str:
    """Texts as a list or a mapping on one line: ``[a, b]``, ``{vm: web01, tags: [a]}``."""
    if not isinstance(values, Mapping):
        return f"[{', '.join(map(scalar, values))}]"
    said = (f"{k}: {scalar(v) if isinstance(v, str) else flow(v)}" for k, v in values.items())
    return f"{{{', '.join(said)}}}"


def with_entry(text: str, source: str, key: str, fields: Mapping[str, str]) -> str:
    """The text with one more entry at the end of the list under a key of its top mapping.

    ``fields`` are the entry's keys with their values as YAML. Raises InputError.
    """
    listed = _listed(text, source, key)
    lines = _lines(text)
    if listed.value in (None, ()):
        _open(lines, listed, key, source)
        indent, at = _BELOW_A_KEY, listed.key_place.line or 1
    else:
        indent = _indent(lines, listed, source)
        at = _end(lines, _start(lines, _items(listed)[-1], indent), indent)
    if all(_is_silent(line) for line in lines[at:]):
        at = len(lines)
    entry = [f"{' ' * indent}{'- ' if n == 0 else '  '}" for n in range(len(fields))]
    written = [f"{a}{name}: {v}\n" for a, (name, v) in zip(entry, fields.items(), strict=True)]
    lines[at:at] = [line.replace("\n", _newline(text)) for line in written]
    edited = "".join(lines)
    before = [_plain(item) for item in _items(listed)]
    *found, last = _read_back(edited, source, key)
    if found != before or not isinstance(last, dict) or list(last) != list(fields):
        raise InputError(listed.place, _BY_HAND)
    return edited


def without_entry(text: str, source: str, key: str, number: int) -> str:
    """The text without the entry of that number, from 0; its lines go, all others stay.

    A comment below it that is set in no deeper than its dash is taken to be about what follows.
    """
    listed, lines = _listed(text, source, key), _lines(text)
    indent = _indent(lines, listed, source)
    items = _items(listed)
    start = _start(lines, items[number], indent)
    del lines[start : _end(lines, start, indent)]
    edited = "".join(lines)
    wanted = [_plain(item) for place, item in enumerate(items) if place != number]
    if _read_back(edited, source, key) != wanted:
        raise InputError(items[number].place, _BY_HAND)
    return edited


def _read_back(edited: str, source: str, key: str) -> list[object]:
    """What the entries say after an edit; nothing that compares where it can no longer be read."""
    try:
        return [_plain(item) for item in _items(_listed(edited, source, key))]
    except InputError:
        return [_UNREADABLE]


def _listed(text: str, source: str, key: str) -> Node:
    root = parse_yaml(text, source)
    if not isinstance(root.value, dict) or key not in root.value:
        raise InputError(root.place, f"the key {key!r} is missing")
    return root.value[key]


def _items(node: Node) -> tuple[Node, ...]:
    return node.value if isinstance(node.value, tuple) else ()


def _lines(text: str) -> list[str]:
    """The lines with their ends; the last one gets an end where it has none."""
    lines = text.splitlines(keepends=True)
    if lines and lines[-1].splitlines()[0] == lines[-1]:
        lines[-1] += _newline(text)
    return lines


def _newline(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"


def _open(lines: list[str], listed: Node, key: str, source: str) -> None:
    """Make a key whose list is empty ready for entries below it: ``key: []`` becomes ``key:``."""
    place = (listed.key_place.line or 1) - 1
    line = lines[place].rstrip()
    found = re.fullmatch(rf"(\s*{re.escape(key)}){_NOTHING}", line)
    if found is None:
        raise InputError(listed.key_place if listed.key_place.line else source, _BY_HAND)
    lines[place] = f"{found[1]}:{found[2] or ''}{_newline(lines[place])}"


def _indent(lines: list[str], listed: Node, source: str) -> int:
    """How far the dashes of the list are set in. Raises InputError for a list without dashes."""
    line, column = listed.place.line or 1, listed.place.column or 1
    if not _items(listed) or not _is_dash(lines[line - 1], column - 1):
        raise InputError(listed.place if listed.place.line else source, _BY_HAND)
    return column - 1


def _is_dash(line: str, indent: int) -> bool:
    return re.match(rf" {{{indent}}}-(?:\s|$)", line) is not None


def _start(lines: list[str], item: Node, indent: int) -> int:
    """The line of an entry's dash."""
    at = (item.place.line or 1) - 1
    while at and not _is_dash(lines[at], indent):
        at -= 1
    return at


def _end(lines: list[str], start: int, indent: int) -> int:
    """The line behind the last one that belongs to the entry."""
    last = start
    for at in range(start + 1, len(lines)):
        line = lines[at]
        if line.strip() and len(line) - len(line.lstrip(" ")) > indent:
            last = at
        elif not _is_silent(line):
            break
    return last + 1


def _is_silent(line: str) -> bool:
    return not line.strip() or line.lstrip().startswith("#")


def _plain(node: Node) -> object:
    """What the node says, wherever it stands."""
    match node.value:
        case dict():
            return {key: _plain(child) for key, child in node.value.items()}
        case tuple():
            return [_plain(item) for item in node.value]
        case _:
            return node.value
