"""``snapaudit explain``: why something is or is not a finding; what a rule means."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import Annotated

from typer import Argument

from snapaudit.app.audit import policy_of
from snapaudit.app.explaining import explain, machine_of, snapshot_of
from snapaudit.app.foreseeing import foresee
from snapaudit.app.gather import settings_of
from snapaudit.app.planning import Wanted, make_plan
from snapaudit.cli.exits import Exit
from snapaudit.cli.options import Common, terminal_width, use_colour, with_common
from snapaudit.cli.reading import Judged, judge
from snapaudit.cli.writing import targets, write
from snapaudit.codec.documents import to_json

FORMATS = ("text", "json")


@with_common
def command(
    common: Common,
    name: Annotated[
        str,
        Argument(
            help="A rule, or what a finding is about: VM/SNAPSHOT, a machine, a datastore, a file.",
            metavar="ID-OR-RULE",
        ),
    ],
) -> int:
    """Tell why a snapshot is (not) a finding and would (not) be deleted; or what a rule means.

    Example: snapaudit explain web01/before-upgrade
    """
    from snapaudit.report.explanation import render_rule

    where = targets(common.format, common.output or (), FORMATS, "text")
    policy = policy_of(settings_of(common.request()), tuple(common.rules or ()))
    rule = next((rule for rule in policy.rules if rule.id == name), None)
    width, colour = terminal_width(), use_colour(common)
    if rule is not None:
        sys.stdout.buffer.write(render_rule(rule, width=width, colour=colour))
        return Exit.DONE
    judged = judge(common)
    write(where, lambda form: _page(judged, name, form, width, colour=colour))
    return Exit.DONE


def _page(judged: Judged, name: str, form: str, width: int, *, colour: bool) -> bytes:
    from snapaudit.report.explanation import render_explanation
    from snapaudit.report.tree import render_tree

    audit = judged.audit
    explanation = explain(audit, judged.policy, judged.now, name, judged.past)
    made = make_plan(audit, judged.policy, judged.settings, Wanted(author=""), judged.now)
    explanation = replace(explanation, enforcement=foresee(made, explanation.subject))
    if form == "json":
        return to_json(explanation).encode()
    snapshot = snapshot_of(audit, explanation.subject)
    page = render_explanation(explanation, snapshot, judged.now, width=width, colour=colour)
    seen = machine_of(audit, explanation.subject)
    if seen is None:
        return page
    tree = render_tree(*seen, audit, judged.now, width=width, colour=colour)
    return page + b"\n" + tree
