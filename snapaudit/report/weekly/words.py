"""Words of the weekly report, the same in every format: what matters most, changes, forecasts."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from snapaudit.model.history import Diff
from snapaudit.model.inventory import ByteRange
from snapaudit.model.past import DaysToFull, Forecast, Trend
from snapaudit.model.until import last_day_of
from snapaudit.model.weekly import (
    KeyName,
    KeyNumber,
    ListedSnapshot,
    OwnerPart,
    Standing,
    StoreOutlook,
    WeeklyReport,
)
from snapaudit.report.phrases import byte_range, count, duration, size

NOBODY_NAMED = "nobody named"
LABELS = {
    KeyName.CRITICAL: "Critical findings",
    KeyName.WARNING: "Warnings",
    KeyName.SNAPSHOTS: "Snapshots",
    KeyName.HELD: "Held by snapshots",
    KeyName.RECLAIMABLE: "Could come back at least",
}
_IN_BYTES = frozenset((KeyName.HELD, KeyName.RECLAIMABLE))
_SOON = 60
_TRENDS = {
    Trend.FLAT: "not growing",
    Trend.SHRINKING: "shrinking",
    Trend.BEYOND_A_YEAR: "full in more than a year",
}


def lead(report: WeeklyReport) -> Iterator[str]:
    """What to know if one reads nothing else: the datastore in danger, and what can be won."""
    first = next(iter(report.stores), None)
    if first is not None and _is_soon(first):
        bought = after(first)
        gain = f" Deleting what is listed there moves that to {bought}." if bought else ""
        yield f"{first.name} is {forecast(first.forecast)}.{gain}"
    offered = sum(one.is_offered for one in report.snapshots)
    if offered:
        back = byte_range(report.back)
        more = f" {size(held)} more is offered, and held." if (held := _held_back(report)) else ""
        said = f"Deleting the {count(offered, 'snapshot')} that findings offer gives back {back}."
        yield said + more
    if report.changes is not None:
        yield f"Since {day(report.changes.since)}: {changes(report.changes)}."


def _held_back(report: WeeklyReport) -> int:
    """What findings offer and holds keep: the key number counts it, since earlier runs did too."""
    counted = (one.value for one in report.numbers if one.name is KeyName.RECLAIMABLE)
    return max(0, (next(counted, 0) or 0) - report.back.min)


def _is_soon(store: StoreOutlook) -> bool:
    days = store.forecast.days_to_full if store.forecast is not None else None
    return days is not None and days.early < _SOON


def changes(diff: Diff) -> str:
    """``3 new, none worse, 2 resolved, 5 grown, none back again``."""
    numbers = (
        (len(diff.new), "new"),
        (len(diff.worse), "worse"),
        (len(diff.resolved), "resolved"),
        (len(diff.grown), "grown"),
        (len(diff.back), "back again"),
    )
    return ", ".join(f"{number:,} {word}" if number else f"none {word}" for number, word in numbers)


def forecast(one: Forecast | None) -> str:
    """``full in 12-25 days`` (with a dash), ``not growing``, or why nothing can be said."""
    if one is None:
        return "without a forecast: no history"
    if one.trend is Trend.TOO_LITTLE_DATA:
        return f"no forecast yet: {count(one.samples, 'sample')}; it takes 4 over 21 days"
    if one.days_to_full is None or one.trend is not Trend.GROWING:
        return _TRENDS.get(one.trend, "growing")
    return f"full in {days(one.days_to_full)}"


def outlook(store: StoreOutlook) -> str:
    """The forecast as a title: ``Full in 12-25 days`` (with a dash)."""
    said = forecast(store.forecast)
    return said[:1].upper() + said[1:]


def days(span: DaysToFull) -> str:
    """A range, since nobody knows the day: ``12-25 days`` (with a dash), ``12 days or later``."""
    early = _whole(span.early)
    if span.late is None:
        return "1 day or later" if early == "1" else f"{early} days or later"
    late = _whole(span.late)
    if early == late:
        return "1 day" if late == "1" else f"{late} days"
    return f"{early}\u2013{late} days"


def _whole(number: float) -> str:
    """Early rather than late: fractions of a day are dropped, and nothing is past."""
    return f"{max(0, int(number)):,}" if number < 100_000 else "more than 100,000"


def after(store: StoreOutlook) -> str | None:
    """Days to full once what is offered is gone; None where that changes nothing for sure."""
    return days(store.forecast_after) if store.forecast_after is not None else None


def quality(one: Forecast | None) -> str:
    """``26 samples; 81% of 20 earlier forecasts held``: how far a forecast is to be believed."""
    if one is None:
        return ""
    said = count(one.samples, "sample")
    if one.hit_rate is None:
        return f"{said}; no earlier forecast has come due yet"
    earlier = count(one.judged, "earlier forecast")
    return f"{said}; {one.hit_rate * 100:.0f}% of {earlier} held"


def certainty(span: ByteRange) -> str:
    """How sure a number of bytes is: ``exact``, ``allocation``, ``upper bound``, ``unknown`` ..."""
    if span.max is None:
        return "lower bound" if span.min else "unknown"
    if "allocation" in span.basis:
        return "allocation"
    if span.min == span.max:
        return "exact"
    return "upper bound" if not span.min else "range"


def gain(span: ByteRange) -> str:
    """What comes back with how sure that is: ``3.1 GiB (exact)``; ``nothing``, ``unknown``."""
    said, sure = byte_range(span), certainty(span)
    return said if span.max == 0 or said == sure else f"{said} ({sure})"


def held_certainty(span: ByteRange) -> str:
    """How sure it is what snapshots hold: sizes of files are what is allocated to them."""
    return "lower bound" if span.max is None else "allocation" if span.max else "exact"


def number(one: KeyNumber, value: int | None) -> str:
    """A key number in its own unit."""
    if value is None:
        return "unknown"
    return size(value) if one.name in _IN_BYTES else f"{value:,}"


def difference(one: KeyNumber) -> str:
    """``3 more``, ``12.4 GiB less``, ``unchanged``, or that there is nothing to hold it against."""
    if one.value is None or one.previous is None:
        return "no earlier run"
    change = one.value - one.previous
    if not change:
        return "unchanged"
    return f"{number(one, abs(change))} {'more' if change > 0 else 'less'}"


def direction(one: KeyNumber) -> str:
    """``up``, ``down``, ``same`` or ``none``: which arrow stands beside the number."""
    if one.value is None or one.previous is None:
        return "none"
    return "same" if one.value == one.previous else "up" if one.value > one.previous else "down"


def against(report: WeeklyReport) -> str:
    """What the differences are measured from, in a few words."""
    if report.previous_at is None:
        return "first run: nothing to compare with"
    return f"against {day(report.previous_at)}"


def day(at: datetime) -> str:
    """``23 November 2026``."""
    return f"{at.day} {at:%B %Y}"


def last_day(ends_at: datetime) -> str:
    """The last day of an exemption or a hold, as people wrote it: its end comes half a day later.

    A day counts to its end in every time zone, the last of which is twelve hours behind UTC.
    """
    return day(last_day_of(ends_at) or ends_at)


def others(many: tuple[ListedSnapshot, ...]) -> str:
    """``and 3 more snapshots of it``, or nothing: what stands beside the first of a machine."""
    more = len(many) - 1
    return f"and {count(more, 'more snapshot', 'more snapshots')} of the machine" if more else ""


def owner(part: OwnerPart) -> str:
    """The owner's name, or that nobody is named."""
    return part.owner if part.owner is not None else NOBODY_NAMED


def waiting(due_at: datetime, now: datetime) -> str:
    """``since 3 May 2026``, ``in 4 days``: when something may be deleted, seen from now."""
    if due_at <= now:
        return "now" if now - due_at < timedelta(hours=1) else f"since {day(due_at)}"
    return f"in {duration(due_at - now)}"


def first(one: KeyNumber) -> str:
    """The earliest known value of the weeks that are drawn."""
    known = (sample.value for sample in one.samples if sample.value is not None)
    return number(one, next(known, None))


def fill(store: StoreOutlook) -> float | None:
    """The occupied share of a datastore, None when it does not tell."""
    if not store.capacity_bytes or store.free_bytes is None:
        return None
    return min(1.0, max(0.0, 1 - store.free_bytes / store.capacity_bytes))


def store_tone(store: StoreOutlook) -> str:
    """How bad a datastore is: the worst of its findings, else nothing."""
    grades = [one.severity for one in store.findings]
    return str(max(grades, key=lambda grade: grade.rank)) if grades else "none"


def chart(store: StoreOutlook) -> str:
    """What the picture of a datastore shows, for those who do not see it."""
    used = [level.used_bytes for level in store.levels if level.used_bytes is not None]
    path = f"Used space went from {size(used[0])} to {size(used[-1])}" if used else ""
    return f"{path} of {size(store.capacity_bytes)}; {forecast(store.forecast)}"


def short_day(at: datetime) -> str:
    """``30 Nov``: for an axis."""
    return f"{at.day} {at:%b}"


def done(report: WeeklyReport) -> str:
    """``3 actions, 41.2 GiB seen to come back``."""
    freed = [one.freed_bytes for one in report.deeds if one.freed_bytes is not None]
    seen = f"{size(sum(freed))} seen to come back" if freed else "nothing measured to come back"
    return f"{count(len(report.deeds), 'action')}, {seen}"


def tone(event: str) -> str:
    """The colour of how an action ended."""
    return {"done": "ok", "already_gone": "ok", "refused": "warning", "failed": "critical"}.get(
        event, "unknown"
    )


def standing_tone(standing: Standing) -> str:
    """The colour of how an exemption or a hold stands."""
    match standing:
        case Standing.ACTIVE:
            return "ok"
        case Standing.EXPIRED:
            return "critical"
        case _:
            return "warning"
