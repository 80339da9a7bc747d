"""Merging: what is known of an action under way, and how it ended, each in one line."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from snapaudit.model.journal import Event
from snapaudit.model.outcome import Merging
from snapaudit.report.escape import plain
from snapaudit.report.phrases import share, short_duration, size, words
from snapaudit.report.planned import place_of

_ENDS = frozenset((Event.DONE, Event.FAILED, Event.REFUSED, Event.ALREADY_GONE, Event.UNKNOWN))
_SHORT = timedelta(seconds=1)


def is_end(one: Merging) -> bool:
    """Whether the action is over."""
    return one.phase in _ENDS


def place(one: Merging) -> str:
    """``kvm1: web01 / before-upgrade on ssd-a``, harmless to print."""
    what = place_of(one)
    return plain(what if one.datastore is None else f"{what} on {one.datastore}")


def standing(one: Merging) -> str:
    """``merging, 45.1 GiB of 118 GiB (38%), 120 MiB/s, 9 min left``: what is known of it."""
    return ", ".join((plain(words(one.phase)), *_measures(one)))


def _measures(one: Merging) -> Iterator[str]:
    if one.done_bytes is None:
        return
    ratio = done_ratio(one)
    of_all = "" if ratio is None else f" of {size(one.total_bytes)} ({share(round(ratio, 3))})"
    yield f"{size(one.done_bytes)}{of_all}"
    if one.rate_bytes is not None:
        yield f"{size(round(one.rate_bytes))}/s"
    if one.left is not None:
        yield f"{short_duration(one.left)} left"


def done_ratio(one: Merging) -> float | None:
    """The copied share from 0 to 1, None when unknown.

    A guest that goes on writing moves the total meanwhile, so it may be passed for a moment.
    """
    if not one.total_bytes or one.done_bytes is None:
        return None
    return min(1.0, max(0.0, one.done_bytes / one.total_bytes))


def ending(one: Merging, took: timedelta) -> str:
    """``done: kvm1: web01 / before-upgrade on ssd-a, 12.4 GiB copied, after 5 min``."""
    copied = f", {size(one.done_bytes)} copied" if one.done_bytes else ""
    after = f", after {short_duration(took)}" if took >= _SHORT else ""
    return f"{words(one.phase)}: {place(one)}{copied}{after}"
