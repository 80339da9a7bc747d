"""Age: how long ago something was made, as far as that can be believed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from snapaudit.model.units import format_iso_duration

OLDEST_BELIEVED = datetime(2000, 1, 1, tzinfo=UTC)
_NONE = timedelta(0)


def no_age(created_at: datetime | None, now: datetime) -> str | None:
    """Why a creation time tells no age by one clock: not told, before 2000, in the future."""
    if created_at is None:
        return "the hypervisor does not tell when it was taken"
    if created_at < OLDEST_BELIEVED:
        return f"its creation time {created_at:%Y-%m-%d} lies before the year 2000"
    age = now - created_at
    if age < _NONE:
        return f"its creation time lies {format_iso_duration(-age)} in the future"
    return None
