"""``snapaudit exempt``: findings that somebody accepts for a while."""

from __future__ import annotations

import sys
from typing import Annotated

import typer
from typer import Argument, Option

from snapaudit.app.audit import known_to, policy_of, rules_of
from snapaudit.app.gather import settings_of
from snapaudit.app.linting import lint
from snapaudit.cli.exits import Exit
from snapaudit.cli.options import Common, clock, terminal_width, use_colour, with_common
from snapaudit.cli.reading import read
from snapaudit.cli.writing import targets, write
from snapaudit.config.accepting import Wish, add, remove
from snapaudit.errors import UsageError
from snapaudit.model.exemption import ExemptionLint, ExemptionList, Selector, standing
from snapaudit.report.escape import plain

FORMATS = ("table", "json")
_Word = str | None


def commands() -> typer.Typer:
    """The commands below ``exempt``."""
    tree = typer.Typer(
        no_args_is_help=True, rich_markup_mode=None, help="Findings that are accepted for a while."
    )
    tree.command("add")(_add)
    tree.command("list")(_list)
    tree.command("remove")(_remove)
    tree.command("lint")(_lint)
    return tree


@with_common
def _add(
    common: Common,
    vm: Annotated[_Word, Argument(help="The machine's name or id.", metavar="VM")] = None,
    rule: Annotated[
        list[str] | None, Option(help="Whose findings are accepted (repeatable).", metavar="ID")
    ] = None,
    snapshot: Annotated[_Word, Option(help="This snapshot, by name or id.", metavar="NAME")] = None,
    datastore: Annotated[
        _Word, Option(help="This datastore, by name or id.", metavar="NAME")
    ] = None,
    file: Annotated[_Word, Option(help="This file, by name or path.", metavar="NAME")] = None,
    tag: Annotated[
        list[str] | None, Option(help="Machines with this tag (repeatable).", metavar="TAG")
    ] = None,
    environment: Annotated[
        _Word, Option(help="Machines of this environment.", metavar="NAME")
    ] = None,
    owner: Annotated[str, Option(help="Who answers for it.", metavar="NAME")] = "",
    reason: Annotated[str, Option(help="Why it is accepted.", metavar="TEXT")] = "",
    ticket: Annotated[_Word, Option(help="Where it was agreed.", metavar="ID")] = None,
    until: Annotated[
        str, Option(help="Its last day, to its end everywhere, or a moment.", metavar="DATE")
    ] = "",
    identity: Annotated[
        _Word, Option("--id", help="What to call it; else one is made up.", metavar="ID")
    ] = None,
) -> int:
    """Accept findings until a day: they are told as exempt, and what they are about stays.

    Names may be patterns of the shell, in quotes. The entry goes to the end of the exemptions file;
    all else in it stays as it is. It counts at once, also for a run that is under way.

    Example: snapaudit exempt add erp-db01 --rule stale-snapshot --owner dba
        --reason "vendor compares both states" --ticket CHG-4711 --until 2026-12-31
    """
    from snapaudit.report.accepted import selected

    for option, value in (("--owner", owner), ("--reason", reason), ("--until", until)):
        if not value.strip():
            said = "an exemption says who answers for it, why, and until when"
            raise UsageError(f"{option} is missing: {said}")
    if not rule:
        raise UsageError("--rule is missing: name the rules whose findings are accepted")
    selector = Selector(
        endpoint=_one_endpoint(common),
        vm=vm,
        snapshot=snapshot,
        datastore=datastore,
        file=file,
        tags=tuple(tag or ()),
        environment=environment,
    )
    if not selector.written():
        raise UsageError("name what is accepted: a machine, or one of the options for it")
    settings = settings_of(common.request())
    rules = rules_of(settings, tuple(common.rules or ()))
    wish = Wish(
        id=identity,
        rules=tuple(rule),
        selector=selector,
        owner=owner,
        reason=reason,
        ticket=ticket,
        until=until,
    )
    made = add(settings.exemptions, wish, known_to(rules), clock())
    what = f"{made.id} accepts {', '.join(made.rules)} of {selected(made.selector)}"
    sys.stdout.write(f"{plain(f'{what} until {made.expires}')}\n")
    return Exit.DONE


@with_common
def _list(common: Common) -> int:
    """List the exemptions of the file, in force or ended.

    Example: snapaudit exempt list -f json
    """
    where = targets(common.format, common.output or (), FORMATS, "table")
    now = common.judged_at(clock())
    policy = policy_of(settings_of(common.request()), tuple(common.rules or ()))
    listed = ExemptionList(
        exemptions=tuple(standing(one, now, policy.longest_exemption) for one in policy.exemptions)
    )

    def page(form: str) -> bytes:
        from snapaudit.report.exemptions import render_exemptions
        from snapaudit.report.json import render as render_json

        if form == "json":
            return render_json(listed)
        width, colour = terminal_width(), use_colour(common)
        return render_exemptions(listed.exemptions, now, width=width, colour=colour)

    write(where, page)
    return Exit.DONE


@with_common
def _remove(
    common: Common,
    exemption: Annotated[
        str, Argument(help="The exemption's id, as 'exempt list' shows it.", metavar="ID")
    ],
) -> int:
    """Cut an exemption out of the file; its findings are back at once.

    Comments stay where they are.

    Example: snapaudit exempt remove EX-17
    """
    settings = settings_of(common.request()).exemptions
    line = remove(settings, exemption)
    sys.stdout.write(f"{plain(f'{exemption} is gone from {settings.file}, line {line}')}\n")
    return Exit.DONE


@with_common
def _lint(common: Common) -> int:
    """Say what is wrong with the exemptions file, and which exemptions nobody needs any more.

    With --endpoint, --inventory or --demo also which accept nothing of what is seen there. Ends
    with 2 when the file cannot be used as it is.

    Example: snapaudit exempt lint --inventory inventory.json
    """
    where = targets(common.format, common.output or (), FORMATS, "table")
    settings = settings_of(common.request())
    rules = rules_of(settings, tuple(common.rules or ()))
    looks = bool(common.endpoint or common.inventory or common.demo)
    seen = read(common, settings) if looks else None
    found = lint(settings, rules, seen, common.judged_at(clock()))
    write(where, lambda form: _linted(common, found, form))
    return Exit.WRONG_INPUT if found.has_errors else Exit.DONE


def _linted(common: Common, found: ExemptionLint, form: str) -> bytes:
    from snapaudit.report.exemptions import render_lint
    from snapaudit.report.json import render as render_json

    if form == "json":
        return render_json(found)
    return render_lint(found, width=terminal_width(), colour=use_colour(common))


def _one_endpoint(common: Common) -> str | None:
    names = common.endpoint or []
    if len(names) > 1:
        raise UsageError("an exemption names one endpoint, or a pattern; add one for each")
    return names[0] if names else None
