"""Until: when a day or a moment that a person wrote as an end is over."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta

# A day ends last in the zone twelve hours behind UTC; until then it is still that day somewhere.
_LAST_MIDNIGHT = timedelta(days=1, hours=12)
_LONGEST_DAY = len("2026-12-31")


def end_of_day(day: date) -> datetime:
    """The moment at which the day is over everywhere on Earth."""
    return datetime.combine(day, time(), UTC) + _LAST_MIDNIGHT


def last_day_of(end: datetime) -> datetime | None:
    """The beginning of the day whose end that is; None: it is the end of no day."""
    day = end.astimezone(UTC) - _LAST_MIDNIGHT
    return day if day.time() == time() else None


def parse_until(text: str | None) -> datetime | None:
    """The moment at which something that lasts until then is over; None: none that can be read.

    A day counts to its end, wherever on Earth it ends last. A time without a zone is none.
    """
    return _moment(text, end_of_day)


def parse_since(text: str | None) -> datetime | None:
    """The moment at which something begins: of a day its first one in UTC. None: none to read."""
    return _moment(text, lambda day: datetime.combine(day, time(), UTC))


def _moment(text: str | None, of_day: Callable[[date], datetime]) -> datetime | None:
    written = (text or "").strip(" .,;").upper()
    try:
        moment = datetime.fromisoformat(written)
        if len(written) <= _LONGEST_DAY:
            return of_day(moment.date())
        return moment.astimezone(UTC) if moment.tzinfo is not None else None
    except (ValueError, OverflowError):
        return None
