"""``snapaudit doctor``: what works at each endpoint, what does not, and how to mend it."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from typer import Argument, Option

from snapaudit.app.gather import chosen_endpoints, settings_of
from snapaudit.cli.exits import Exit
from snapaudit.cli.options import Common, clock, terminal_width, use_colour, with_common
from snapaudit.cli.progress import shown
from snapaudit.cli.reading import secret_of_account, type_in
from snapaudit.cli.writing import targets, write
from snapaudit.errors import UsageError
from snapaudit.model.examination import Examinations

FORMATS = ("table", "json")


@with_common
def command(
    common: Common,
    endpoints: Annotated[
        list[str] | None, Argument(help="Only these endpoints.", metavar="ENDPOINT")
    ] = None,
    json: Annotated[bool, Option("--json", help="The same as -f json.")] = False,
) -> int:
    """Examine the endpoints: network, certificate, login, rights, clock. Nothing is changed.

    Example: snapaudit doctor vc1
    """
    from snapaudit.app.examining import examine

    if common.reads_saved:
        raise UsageError("doctor examines live endpoints: no --inventory, --demo or --now")
    if json and common.format not in (None, "json"):
        raise UsageError(f"--json and -f {common.format} exclude each other")
    form = "json" if json else common.format
    where = targets(form, common.output or (), FORMATS, "table")
    request = common.request()
    request = replace(request, endpoints=(*request.endpoints, *(endpoints or ())))
    chosen = chosen_endpoints(request, settings_of(request))
    type_in(chosen, acting=True)
    with shown(common) as progress:
        found = examine(chosen, clock(), secret_of_account, progress)
    write(where, lambda form: _page(common, found, form))
    return Exit.DONE if all(one.is_well for one in found.endpoints) else Exit.INCOMPLETE


def _page(common: Common, found: Examinations, form: str) -> bytes:
    if form == "json":
        from snapaudit.report.json import render

        return render(found)
    from snapaudit.report.examination import render_examinations

    return render_examinations(found, width=terminal_width(), colour=use_colour(common))
