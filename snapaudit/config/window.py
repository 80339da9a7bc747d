"""The window for changes, as people write it: ``Sat 22:00-06:00 Europe/Berlin``."""

from __future__ import annotations

import re
from datetime import timedelta
from zoneinfo import ZoneInfo, available_timezones

from snapaudit.codec import expect
from snapaudit.codec.yaml import Node
from snapaudit.errors import InputError
from snapaudit.model.limits import Window

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_DAY = timedelta(days=1)
_EXPECTED = "expected days, times and a time zone, like 'Sat 22:00-06:00 Europe/Berlin'"
_SPAN = re.compile(r"(\d{2}):([0-5]\d)-(\d{2}):([0-5]\d)", re.ASCII)
# Names in the IANA database begin with a capital; the other files beside them ("posixrules",
# "localtime", "right/...") mean something else on each machine.
_ZONE = re.compile(r"[A-Z][A-Za-z0-9_+-]*(?:/[A-Za-z0-9_+-]+)*", re.ASCII)


def window(node: Node) -> Window:
    """``DAYS HH:MM-HH:MM ZONE``. Days are ``Sat``, ``Mon-Fri``, ``Sat,Sun`` or ``daily``.

    Times past midnight belong to the day before; 00:00-24:00 is a whole day. The zone is a name of
    the IANA time zone database.
    """
    parts = expect.line(node).split()
    if len(parts) != 3:
        raise InputError(node.place, _EXPECTED)
    opens, closes = _span(node, parts[1])
    return Window(
        text=" ".join(parts),
        days=_days(node, parts[0]),
        opens=opens,
        closes=closes,
        zone=_zone(node, parts[2]),
    )


def _days(node: Node, text: str) -> frozenset[int]:
    if text.lower() == "daily":
        return frozenset(range(7))
    return frozenset(day for part in text.split(",") for day in _run(node, part))


def _run(node: Node, part: str) -> tuple[int, ...]:
    first, dash, last = part.partition("-")
    start = _day(node, first)
    length = (_day(node, last) - start) % 7 if dash else 0
    return tuple((start + step) % 7 for step in range(length + 1))


def _day(node: Node, word: str) -> int:
    if word.capitalize() not in DAYS:
        message = f"unknown day {word!r}; expected {', '.join(DAYS)} or daily"
        raise InputError(node.place, message, nearest=expect.nearest(word, DAYS))
    return DAYS.index(word.capitalize())


def _span(node: Node, text: str) -> tuple[timedelta, timedelta]:
    matched = _SPAN.fullmatch(text)
    if matched is None:
        raise InputError(node.place, f"expected times like 22:00-06:00, found {text!r}")
    hours = [int(digits) for digits in matched.groups()]
    opens = timedelta(hours=hours[0], minutes=hours[1])
    closes = timedelta(hours=hours[2], minutes=hours[3])
    if opens >= _DAY or closes > _DAY:
        raise InputError(node.place, f"{text!r} leaves the day, which ends at 24:00")
    if opens == closes:
        raise InputError(node.place, f"{text!r} has no length; a whole day is 00:00-24:00")
    return opens, closes if opens < closes else closes + _DAY


def _zone(node: Node, name: str) -> ZoneInfo:
    try:
        known = ZoneInfo(name) if _ZONE.fullmatch(name) else None
    except (KeyError, ValueError, OSError):
        known = None
    if known is None:
        near = expect.nearest(name, available_timezones())
        raise InputError(node.place, f"no time zone {name!r} is known here", nearest=near)
    return known
