"""People's words for what records hold: durations, sizes, shares, ranges, evidence."""

from __future__ import annotations

from datetime import datetime, timedelta

from humanize import naturalsize

from snapaudit.model.finding import Evidence, FactValue, Finding
from snapaudit.model.inventory import ByteRange
from snapaudit.model.plan import Bytes
from snapaudit.model.policy import Remedy

_OPERATORS = {"over": "over", "at_least": "at least", "under": "under", "at_most": "at most"}
_PARTICIPLES = {Remedy.DELETE_SNAPSHOT: "deleted", Remedy.CONSOLIDATE: "consolidated"}
_HOURS_MATTER_BELOW = timedelta(days=31)
_SIZE_WORDS = frozenset(
    {"size", "bytes", "capacity", "free", "held", "delta", "shortage", "growth"}
)


def count(number: int, noun: str, plural: str | None = None) -> str:
    """``1 snapshot``, ``1,204 snapshots``, ``no snapshots``."""
    word = noun if number == 1 else (plural or f"{noun}s")
    return f"{number:,} {word}" if number else f"no {word}"


def duration(span: timedelta) -> str:
    """``9 days``, ``7 days 5 hours``, ``45 minutes``; whole days from a month on."""
    if abs(span) < timedelta(minutes=1):
        return "less than a minute"
    if span < timedelta(0):
        return f"minus {duration(-span)}"
    minutes = span // timedelta(minutes=1)
    if minutes < 120 and minutes != 60:
        return count(minutes, "minute")
    hours, days = minutes // 60, span.days
    if days < 2:
        return count(hours, "hour")
    rest = hours % 24 if span < _HOURS_MATTER_BELOW else 0
    return f"{count(days, 'day')} {count(rest, 'hour')}" if rest else count(days, "day")


def short_duration(span: timedelta) -> str:
    """``45 s``, ``9 min``, ``3 h 10 min``: for a line with little room that soon is old."""
    seconds = round(span.total_seconds())
    if seconds < 100:
        return f"{seconds} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 100 else f"{minutes // 60} h {minutes % 60} min"


def age(created_at: datetime | None, now: datetime) -> str:
    """``9 days``, ``unknown age``, or that the time lies in the future."""
    if created_at is None:
        return "unknown age"
    if created_at > now:
        return f"{duration(created_at - now)} in the future"
    return duration(now - created_at)


def days_old(created_at: datetime | None, now: datetime) -> str:
    """As `age`, but whole days from two days on: for a column that is read downwards."""
    span = None if created_at is None else now - created_at
    return f"{span.days:,} days" if span is not None and span.days > 1 else age(created_at, now)


def offset(seconds: float) -> str:
    """``6 minutes ahead of``, ``2 hours behind``: where a clock stands beside another one."""
    side = "ahead of" if seconds > 0 else "behind"
    return f"{duration(timedelta(seconds=abs(seconds)))} {side}"


def moment(at: datetime) -> str:
    """``2026-06-01 12:00 UTC``."""
    return f"{at:%Y-%m-%d %H:%M} UTC"


def announcement(finding: Finding, now: datetime) -> str:
    """``may be deleted from 2026-12-01``, and ``since`` once that moment is over.

    Within the rule's notice the time that is left stands before it: ``due in 2 days: ...``.
    """
    due_at, remedy = finding.due_at, finding.remedy
    if due_at is None or remedy is None:
        return ""
    when = "since" if due_at <= now else "from"
    said = f"may be {_PARTICIPLES[remedy]} {when} {due_at:%Y-%m-%d}"
    is_noticed = finding.notice_at is not None and finding.notice_at <= now < due_at
    return f"due in {duration(due_at - now)}: {said}" if is_noticed else said


def size(number: int | None) -> str:
    """``12.4 GiB``, or ``unknown``."""
    if number is None:
        return "unknown"
    return (
        "0" if number == 0 else naturalsize(number, binary=True, format="%.1f").replace(".0 ", " ")
    )


def share(ratio: float | None) -> str:
    """``85%`` or ``85.4%``, or ``unknown``."""
    if ratio is None:
        return "unknown"
    return f"{ratio * 100:.1f}".removesuffix(".0") + "%"


def byte_range(span: ByteRange | Bytes) -> str:
    """``3.1-4.0 GiB`` (with a dash), ``at least 3.1 GiB``, ``up to 4.0 GiB``, ``unknown``."""
    if span.max is None:
        return f"at least {size(span.min)}" if span.min else "unknown"
    if span.max == 0:
        return "nothing"
    low, high = size(span.min), size(span.max)
    if low == high:
        return high
    if span.min == 0:
        return f"up to {high}"
    same_unit = low.split()[-1] == high.split()[-1]
    return f"{low.split()[0] if same_unit else low}\u2013{high}"


def words(slug: str) -> str:
    """``backup_product`` or ``stale-snapshot`` as words."""
    return slug.replace("_", " ").replace("-", " ")


def value(fact: str, measured: FactValue) -> str:
    """A measured value or a bound, in the unit that its type and the fact's name tell."""
    match measured:
        case None:
            return "unknown"
        case bool():
            return "yes" if measured else "no"
        case timedelta():
            return duration(measured)
        case float():
            return share(measured)
        case int():
            return size(measured) if _is_size(fact) else f"{measured:,}"
        case tuple():
            return ", ".join(measured) or "none"
        case str():
            return measured or "empty"


def _is_size(fact: str) -> bool:
    return not _SIZE_WORDS.isdisjoint(words(fact).split())


def evidence(one: Evidence) -> str:
    """``age 9 days, over 7 days``: what was measured, and the bound that it crossed."""
    fact, measured, bound = words(one.fact), value(one.fact, one.value), _bound(one)
    if one.operator in _OPERATORS:
        if one.operator == "over" and not one.bound:
            return f"{fact} {measured}"
        operator = _OPERATORS[one.operator]
        if measured == bound and one.operator in ("over", "under"):
            return f"{fact} just {operator} {bound}"
        return f"{fact} {measured}, {operator} {bound}"
    if one.operator.endswith("matches"):
        return f'{fact} "{measured}" {words(one.operator)} "{bound}"'
    if isinstance(one.value, bool) and fact.startswith("has "):
        return fact if one.value else f"no {fact.removeprefix('has ')}"
    return f"{fact}: {measured}"


def _bound(one: Evidence) -> str:
    """A bound to the second below a minute: what is over "less than a minute" says nothing."""
    bound = one.bound
    if isinstance(bound, timedelta) and abs(bound) < timedelta(minutes=1):
        return short_duration(bound)
    return value(one.fact, bound)


def evidences(many: tuple[Evidence, ...]) -> str:
    """All evidence of a finding, one after the other."""
    return "; ".join(evidence(one) for one in many)
