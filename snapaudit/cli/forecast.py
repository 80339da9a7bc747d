"""``snapaudit forecast``: in how many days each datastore is full."""

from __future__ import annotations

import os

from snapaudit.app.gather import is_wanted, refuse_unknown, settings_of
from snapaudit.app.history import open_history
from snapaudit.cli.diff import refuse_other_sources
from snapaudit.cli.exits import Exit
from snapaudit.cli.options import Common, clock, terminal_width, use_colour, with_common
from snapaudit.cli.writing import targets, write
from snapaudit.model.past import Forecasts

FORMATS = ("table", "json")


@with_common
def command(common: Common) -> int:
    """Tell when each datastore may be full, as a range. It reads recorded runs, no endpoint.

    Beside it: what deleting the snapshots that rules offer would buy, and how many of the earlier
    forecasts held.

    Example: snapaudit forecast
    """
    refuse_other_sources(common, "forecast")
    where = targets(common.format, common.output or (), FORMATS, "table")
    now = common.judged_at(clock())
    wanted = tuple(common.endpoint or ())
    with open_history(settings_of(common.request()), os.environ) as store:
        refuse_unknown(wanted, store.endpoints())
        found = store.forecasts(now)
        last = next((run.audited_at for run in store.runs(limit=1, until=now)), None)
    chosen = tuple(one for one in found if is_wanted(one.endpoint, wanted))
    forecasts = Forecasts(forecast_at=now, datastores=chosen, last_run_at=last)
    width, colour = terminal_width(), use_colour(common)
    write(where, lambda form: _page(forecasts, form, width, colour=colour))
    return Exit.DONE


def _page(forecasts: Forecasts, form: str, width: int, *, colour: bool) -> bytes:
    if form == "json":
        from snapaudit.report.json import render as render_json

        return render_json(forecasts)
    from snapaudit.report.forecast import render

    return render(forecasts, width=width, colour=colour)
