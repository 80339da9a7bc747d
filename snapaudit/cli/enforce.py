"""``snapaudit enforce``: make a plan, sign it off, carry it out. Only --apply can act."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

from typer import Option

from snapaudit.app.audit import policy_of
from snapaudit.app.gather import chosen_endpoints, settings_of
from snapaudit.app.planning import (
    Wanted,
    make_plan,
    newest_plan,
    obstacle,
    refuse_if_unfit,
    sign_off,
)
from snapaudit.cli.asking import confirm
from snapaudit.cli.exits import Exit, run_exit, view_exit
from snapaudit.cli.options import Common, clock, terminal_width, use_colour, with_common
from snapaudit.cli.reading import Judged, judge, note, secret, secret_of_account, type_in
from snapaudit.cli.who import user
from snapaudit.cli.writing import targets, write
from snapaudit.config.settings import Settings
from snapaudit.enforce.approvals import refuse_without
from snapaudit.enforce.sealing import read_plan, write_plan
from snapaudit.enforce.state import State, prepare
from snapaudit.errors import UsageError
from snapaudit.model.outcome import RunReport
from snapaudit.model.plan import Decision, Plan
from snapaudit.report.escape import plain
from snapaudit.report.formats import ENFORCE_FORMATS, render_plan, render_run


@with_common
def command(
    common: Common,
    apply: Annotated[bool, Option("--apply", help="Carry out a reviewed plan.")] = False,
    plan: Annotated[
        Path | None, Option(help="This plan: shown, signed off or carried out.", metavar="FILE")
    ] = None,
    reseal: Annotated[
        bool, Option("--reseal", help="Sign off the decisions and notes edited in --plan.")
    ] = False,
    worst: Annotated[
        int | None,
        Option(help="Plan only the N that give most back, within the limits.", metavar="N", min=1),
    ] = None,
) -> int:
    """Plan what to delete, explain it, and write the plan; nothing is changed.

    A person reviews the plan: "decision": "skip" leaves an action out, --reseal signs that off.
    Only --apply acts, on exactly what the plan lists, if all of it is still as it was.

    Example: snapaudit enforce
    Example: snapaudit enforce --worst 3
    Example: snapaudit enforce --plan .snapaudit/plans/20261125-120000-1a2b3c.json --reseal
    Example: snapaudit enforce --apply --plan .snapaudit/plans/20261125-120000-1a2b3c.json
    """
    where = targets(common.format, common.output or (), ENFORCE_FORMATS, "table")
    if apply:
        _refuse_beside_apply(common, reseal=reseal, worst=worst)
        report = _applied(common, plan)
        width, colour = terminal_width(), use_colour(common)
        write(where, lambda form: render_run(report, form, width=width, colour=colour))
        return run_exit(report)
    if reseal:
        return _signed_off(common, plan)
    if plan is not None:
        return _shown_again(common, plan)
    judged = judge(common)
    made = _made(common, judged, worst)
    if common.demo:
        _show(common, made, None, "it is of a made-up fleet, and stored nowhere")
        return view_exit(judged.audit)
    file = _kept(common, judged, made)
    _show(common, made, file, obstacle(made, judged.settings, clock()))
    if not common.quiet:
        sys.stderr.write(f"plan written: {plain(_short(file))}\n")
    return view_exit(judged.audit)


def _refuse_beside_apply(common: Common, *, reseal: bool, worst: int | None) -> None:
    for name, given in (
        ("--reseal", reseal),
        ("--worst", worst is not None),
        ("--demo", common.demo),
        ("--inventory", bool(common.inventory)),
        ("--now", bool(common.now)),
    ):
        if given:
            raise UsageError(f"{name} cannot go with --apply")


# Planning -------------------------------------------------------------------------------------


def _made(common: Common, judged: Judged, worst: int | None) -> Plan:
    wanted = Wanted(author=user(), named=frozenset(common.endpoint or ()), worst=worst)
    return make_plan(judged.audit, judged.policy, judged.settings, wanted, judged.now)


def _kept(common: Common, judged: Judged, made: Plan) -> Path:
    state = State(judged.settings.state)
    prepare(state)
    note(common, judged)
    return write_plan(state, made)


def _show(common: Common, made: Plan, file: Path | None, why_not: str | None) -> None:
    where = targets(common.format, common.output or (), ENFORCE_FORMATS, "table")
    width, colour = terminal_width(), use_colour(common)
    name = None if file is None else _short(file)

    def drawn(form: str) -> bytes:
        return render_plan(made, form, file=name, obstacle=why_not, width=width, colour=colour)

    write(where, drawn)


def _short(path: Path) -> str:
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)


def _shown_again(common: Common, plan: Path) -> int:
    """The plan of a file, as it was sealed last."""
    settings = settings_of(common.request())
    found = read_plan(State(settings.state), plan)[0]
    _show(common, found, plan.absolute(), obstacle(found, settings, clock()))
    return Exit.DONE


def _signed_off(common: Common, plan: Path | None) -> int:
    if plan is None:
        raise UsageError("--reseal needs --plan FILE")
    settings = settings_of(common.request())
    signed = sign_off(settings, plan, user(), clock())
    _show(common, signed, plan.absolute(), obstacle(signed, settings, clock()))
    return Exit.DONE


# Applying -------------------------------------------------------------------------------------


def _applied(common: Common, path: Path | None) -> RunReport:
    from snapaudit.app.applying import Means, apply
    from snapaudit.cli.merging import merges_shown

    settings = settings_of(common.request())
    policy = policy_of(settings, tuple(common.rules or ()))
    file, chosen = _chosen(common, settings, path)
    refuse_if_unfit(chosen, settings, policy)
    refuse_without(chosen, file, settings.approvals)
    _confirm(common, chosen)
    named = frozenset(common.endpoint or ())
    type_in(chosen_endpoints(common.request(), settings), acting=True)
    if not common.quiet:
        _tell("looking at everything once more before anything is changed")
    with merges_shown(common) as tell:
        means = Means(
            secret_of=secret,
            secret_of_account=secret_of_account,
            progress=lambda _step: None,  # two live views would draw over each other
            tell=tell,
            note=_tell,
            file=file,
            environ=os.environ,
        )
        return apply(chosen, settings, policy, named, means)


def _tell(line: str) -> None:
    sys.stderr.write(f"{plain(line)}\n")


def _chosen(common: Common, settings: Settings, path: Path | None) -> tuple[Path, Plan]:
    if path is not None:
        return path, read_plan(State(settings.state), path)[0]
    is_asked = sys.stdin.isatty() and not common.yes
    return newest_plan(settings, clock(), must_be_signed=not is_asked)


def _confirm(common: Common, chosen: Plan) -> None:
    """Show the plan and ask; without a terminal --yes has to have been given."""
    if not common.yes and sys.stdin.isatty():
        page = render_plan(chosen, "table", width=terminal_width(), colour=use_colour(common))
        sys.stderr.write(page.decode())
    count = sum(action.decision is Decision.APPLY for action in chosen.actions)
    confirm(
        common,
        f"\nCarry out {count} action(s) of plan {chosen.id}?",
        without="--apply asks before it acts, and there is no terminal: add --yes",
    )
