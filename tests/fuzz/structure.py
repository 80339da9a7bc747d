"""Changes to what is written rather than to bytes: values, members, elements, lines."""

from __future__ import annotations

import copy
import json
import random
import re
from collections.abc import Callable
from typing import Any

from tests.fuzz.target import Form

_WHOLE = (0, 1, -1, 2**31, 2**32, 2**53 + 1, 2**63 - 1, 2**63, 2**64, -(2**63), 10**30)
NUMBERS = (
    *(str(number).encode() for number in _WHOLE),
    *(b"9" * 400, b"9" * 5000, b"1e308", b"1e999", b"-0.0", b"NaN", b"Infinity", b"0x10", b"1_0"),
)
_MOMENTS = (
    *("1970-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59.999999-14:00"),
    *("2024-02-30T00:00:00Z", "2025-01-01", "2025-01-01T00:00:00", "19700101T00:00:00"),
)
_STRINGS = (
    *("", " ", "\0", "a\nb", "\u202e", "\ud800", "\ufeff", "\uffff", "é", "💾", "=1+1", "../../x"),
    *("true", "no", "null", "~", "x" * 5000, "[" * 40, "&amp;", "]]>", "<a>", "%s", "{0}", "$(id)"),
    *("3d", "85%", "9" * 30 + "d", "1e999GiB", "-1h", "OpaqueRef:NULL", "٣", "1e5", "nan", "inf"),
)
TEXTS = (
    *(text.encode("utf-8", "surrogatepass") for text in (*_STRINGS, *_MOMENTS)),
    *(b"\xff\xfe", b"\xc0\x80", b"\xf4\x90\x80\x80", b"\r\n", b"\t", b"&x;", b"&#0;", b"<!--"),
    *(
        b"<![CDATA[",
        b"!!python/object:os.system ",
        b"*a",
        b"&a ",
        b"---\n",
        b"? ",
        b"#",
        b"\\ud800",
    ),
)
_VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1, 2**31, 2**53 + 1, 2**63, -(2**63) - 1, 10**30, 10**400, 0.5),
    *(1e308, -0.0, float("nan"), float("inf"), [], {}, [None], {"": None}, [[]], "x"),
    *(*_STRINGS, *_MOMENTS),
)

Change = Callable[[bytes], bytes]


def changes(form: Form, dice: random.Random) -> list[Change]:
    """The changes that a format has beside those of its bytes."""
    match form:
        case Form.JSON:
            return [lambda data: _json(data, dice)]
        case Form.LINES:
            return [lambda data: _json_line(data, dice), lambda data: _lines(data, dice)]
        case Form.YAML:
            return [lambda data: _lines(data, dice), lambda data: _yaml_value(data, dice)]
        case Form.XML:
            return [lambda data: _xml_text(data, dice), lambda data: _xml_element(data, dice)]
        case Form.BYTES:
            return []


# JSON -------------------------------------------------------------------------------------------


def _json(data: bytes, dice: random.Random) -> bytes:
    try:
        document = json.loads(data)
    except (ValueError, RecursionError):
        return data
    changed = _in_tree(document, dice)
    text = json.dumps(changed, ensure_ascii=dice.random() < 0.5)
    if dice.random() < 0.05:
        text = re.sub(r'("\w+": )', r"\g<1>1, \g<1>", text, count=1)  # the same key twice
    return text.encode("utf-8", "surrogatepass")


def _in_tree(document: Any, dice: random.Random) -> Any:
    """A copy in which one place, at any depth, holds something else."""
    places = list(_places(document))
    if not places:
        return dice.choice(_VALUES)
    holder, key = dice.choice(places)
    match dice.randrange(6):
        case 0:
            del holder[key]
        case 1:
            other, place = dice.choice(places)
            holder[key] = copy.deepcopy(other.get(place) if isinstance(other, dict) else None)
        case 2 if isinstance(holder, list):
            holder.append(copy.deepcopy(holder[key]))
        case 3 if isinstance(holder, dict):
            holder[str(dice.choice(_STRINGS))] = holder.pop(key)
        case 4:
            holder[key] = [holder[key]]
        case _:
            holder[key] = copy.deepcopy(dice.choice(_VALUES))
    return document


def _places(document: Any) -> list[tuple[Any, Any]]:
    """Every key and index, with what holds it."""
    found: list[tuple[Any, Any]] = []
    left = [document]
    while left:
        one = left.pop()
        if isinstance(one, dict | list):
            keys = list(one) if isinstance(one, dict) else list(range(len(one)))
            found += [(one, key) for key in keys]
            left += [one[key] for key in keys]
    return found


# Lines ------------------------------------------------------------------------------------------


def _json_line(data: bytes, dice: random.Random) -> bytes:
    lines = data.split(b"\n")
    at = dice.randrange(len(lines))
    lines[at] = _json(lines[at], dice)
    return b"\n".join(lines)


def _lines(data: bytes, dice: random.Random) -> bytes:
    lines = data.split(b"\n")
    at, other = dice.randrange(len(lines)), dice.randrange(len(lines))
    match dice.randrange(5):
        case 0:
            del lines[at]
        case 1:
            lines.insert(other, lines[at])
        case 2:
            lines[at], lines[other] = lines[other], lines[at]
        case 3:
            lines[at] = b"  " + lines[at]
        case _:
            lines[at] = lines[at].removeprefix(b"  ")
    return b"\n".join(lines)


def _yaml_value(data: bytes, dice: random.Random) -> bytes:
    """Another value behind one of the colons."""
    places = [found.end() for found in re.finditer(rb": ?|- ", data)]
    if not places:
        return data
    at = dice.choice(places)
    end = data.find(b"\n", at) if dice.random() < 0.7 else at
    value = dice.choice((*TEXTS, *NUMBERS, b"[a, b]", b"{a: b}", b"{}", b"[]", b"|\n  a\n"))
    return data[:at] + value + data[end if end >= 0 else len(data) :]


# XML --------------------------------------------------------------------------------------------

_TEXT = re.compile(rb">([^<>]{1,300})<|[\"']([^\"'<>]{0,300})[\"']")
_ELEMENT = re.compile(rb"<([\w:.-]+)(?:\s[^<>]*)?(?:/>|>[^<]*</\1>)")


def _xml_text(data: bytes, dice: random.Random) -> bytes:
    """Another text in an element or an attribute, escaped, so that it is read and not refused."""
    places = [found.span(found.lastindex or 0) for found in _TEXT.finditer(data)]
    if not places:
        return data
    begin, end = dice.choice(places)
    value = dice.choice((*TEXTS, *NUMBERS))
    if dice.random() < 0.8:
        value = re.sub(rb"[\0-\x08<>&\"']", lambda found: b"&#%d;" % (found[0][0] or 32), value)
    return data[:begin] + value + data[end:]


def _xml_element(data: bytes, dice: random.Random) -> bytes:
    places = [found.span() for found in _ELEMENT.finditer(data)]
    if not places:
        return data
    begin, end = dice.choice(places)
    element, at = data[begin:end], dice.choice(places)[0]
    match dice.randrange(4):
        case 0:
            return data[:begin] + data[end:]
        case 1:
            return data[:at] + element + data[at:]
        case 2:
            times = dice.choice((2, 20, 400))
            return data[:begin] + element * times + data[end:]
        case _:
            depth = dice.choice((1, 5, 300, 3000))
            name = re.match(rb"<([\w:.-]+)", element)
            tag = name[1] if name else b"a"
            return (
                data[:begin] + b"<%s>" % tag * depth + element + b"</%s>" % tag * depth + data[end:]
            )
