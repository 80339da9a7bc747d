"""Forecasts for the terminal: in how many days each datastore is full, as a range."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from snapaudit.model.past import DaysToFull, Forecast, Forecasts, Gain, Trend
from snapaudit.report.phrases import age, byte_range, count, moment, share, size
from snapaudit.report.terminal import NAME_COLUMNS, draw, grid, lines, text

_SAID = {
    Trend.FLAT: "not growing",
    Trend.SHRINKING: "shrinking",
    Trend.TOO_LITTLE_DATA: "too little data",
    Trend.BEYOND_A_YEAR: "more than a year",
}
_SOON, _VERY_SOON = 30, 7


def render(forecasts: Forecasts, *, width: int, colour: bool) -> bytes:
    """A line for each datastore, the nearest end first, and what the range means."""
    return draw(_parts(forecasts), width=width, colour=colour)


def _parts(forecasts: Forecasts) -> Iterator[RenderableType]:
    if not forecasts.datastores:
        yield text("no datastore was seen in the last half year")
        return
    if forecasts.last_run_at is not None:
        yield text(f"By the runs up to {_when(forecasts.last_run_at, forecasts)}", "bold")
    yield _table(forecasts)
    yield text(
        "The range holds four of five paces seen; plan by its early end. A forecast needs 4 runs "
        "over 21 days without a change of capacity.",
        "dim",
    )


def _table(forecasts: Forecasts) -> Table:
    table = grid("Endpoint", "Datastore", "Used", "Full in", "Deleting buys", "Runs", "Held so far")
    for one in forecasts.datastores:
        table.add_row(
            text(one.endpoint, limit=NAME_COLUMNS),
            text(one.name, limit=NAME_COLUMNS),
            lines(text(_used(one)), *_earlier(one, forecasts)),
            _end(one),
            text(_gain(one.gain)),
            text(f"{one.samples:,}"),
            text(held(one)),
        )
    return table


def _used(one: Forecast) -> str:
    if not one.capacity_bytes or one.used_bytes is None:
        return "unknown"
    return f"{share(one.used_bytes / one.capacity_bytes)} of {size(one.capacity_bytes)}"


def _earlier(one: Forecast, forecasts: Forecasts) -> Iterator[Text]:
    """Of when level and days are, where the last run did not see the datastore."""
    seen, last = one.counted_from, forecasts.last_run_at
    if seen is not None and last is not None and seen < last:
        yield text(f"last seen {_when(seen, forecasts)}; days count from then", "yellow")


def _when(at: datetime, forecasts: Forecasts) -> str:
    return f"{moment(at)}, {age(at, forecasts.forecast_at)} ago"


def _end(one: Forecast) -> Text:
    if one.days_to_full is None:
        return text(_SAID.get(one.trend, str(one.trend)))
    early = one.days_to_full.early
    style = "bold red" if early < _VERY_SOON else "yellow" if early < _SOON else ""
    return text(days(one.days_to_full), style)


def days(span: DaysToFull) -> str:
    """``12 to 40 days, likely 20``; ``12 days or more`` where no later end can be told."""
    early = f"{span.early:.0f}"
    if span.late is None:
        end = (
            f"{count(round(span.early), 'day')} or more" if round(span.early) else "0 days or more"
        )
    elif f"{span.late:.0f}" == early:
        return f"{early} days"
    else:
        end = f"{early} to {span.late:.0f} days"
    return f"{end}, likely {span.likely:.0f}" if span.likely is not None else end


def _gain(gain: Gain | None) -> str:
    """What deleting the snapshots that rules offer would buy, and for how many bytes."""
    if gain is None:
        return "nothing to delete"
    low = f"{gain.min_days:.0f}"
    if gain.max_days is None:
        span = f"{low} days or more"
    else:
        high = f"{gain.max_days:.0f}"
        span = count(round(gain.min_days), "day") if low == high else f"{low} to {high} days"
    return f"{span} ({byte_range(gain.bytes)})"


def held(one: Forecast) -> str:
    """``5 of 6`` earlier forecasts, or that none could be judged yet."""
    if one.hit_rate is None:
        return "none yet"
    return f"{round(one.hit_rate * one.judged)} of {one.judged}"
