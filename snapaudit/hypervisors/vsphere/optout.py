"""Opt-out: what people wrote on a machine or snapshot so that it stays.

``keep-until`` with a date, in a name, description, note or tag, or as the name of a custom
attribute; ``snapaudit:hold`` as an attribute, in its name or its value. What cannot be read
protects.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta

from snapaudit.model.inventory import Attribute

_KEEP = re.compile(r"keep[\W_]{0,3}until[\W_]{0,3}(?P<date>[\w.:+/-]*)", re.IGNORECASE)
_HOLD = re.compile(r"snapaudit[\W_]{0,3}hold", re.IGNORECASE)
_NO = frozenset({"", "0", "no", "false", "off", "-"})
_DAY_FIRST = "%d.%m.%Y"
# A day ends last in the zone twelve hours behind UTC; until then it is still that day somewhere.
_LAST_MIDNIGHT = timedelta(days=1, hours=12)


def in_texts(places: Iterable[tuple[str, str]], now: datetime) -> Iterator[str]:
    """A protection for each place, named first, whose text keeps something."""
    for place, text in places:
        for found in _KEEP.finditer(text) if text else ():
            yield from _kept(place, found["date"], now)


def in_attributes(attributes: Iterable[Attribute], now: datetime) -> Iterator[str]:
    """A protection for each custom attribute that keeps something. An empty one says nothing."""
    for one in attributes:
        place = f"the custom attribute {one.name}"
        value = one.value.strip()
        if _KEEP.search(one.name) and value:
            yield from _kept(place, value, now)
        else:
            yield from in_texts(((place, value),), now)
        is_held = _HOLD.search(one.name) and value.casefold() not in _NO
        if is_held or _HOLD.search(value):
            yield f"hold: 'snapaudit:hold' stands in {place}"


def _kept(place: str, written: str, now: datetime) -> Iterator[str]:
    end = _end_of(written)
    if end is None:
        yield f"keep-until: {place} asks to keep it, and its date {written!r} cannot be read"
    elif now < end:
        yield f"keep-until: {place} asks to keep it until {written}"


def _end_of(written: str) -> datetime | None:
    """The moment from which it need not be kept; a day counts to its end, wherever that is last."""
    text = written.strip(" .,;:")
    for read in (_day, _day_first):
        day = read(text)
        if day is not None:
            return _last_moment(day)
    try:
        moment = datetime.fromisoformat(text)
        return moment.astimezone(UTC) if moment.tzinfo is not None else _last_moment(moment.date())
    except (ValueError, OverflowError):
        return None


def _last_moment(day: date) -> datetime | None:
    try:
        return datetime.combine(day, time(), UTC) + _LAST_MIDNIGHT
    except OverflowError:
        return None


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _day_first(text: str) -> date | None:
    try:
        return datetime.strptime(text, _DAY_FIRST).replace(tzinfo=UTC).date()
    except ValueError:
        return None
