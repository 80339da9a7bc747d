"""``snapaudit explain``: why something is or is not a finding; what a rule means."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Annotated

from typer import Argument

from snapaudit.app.audit import policy_of
from snapaudit.app.explaining import explain, explain_rule, machine_of, snapshot_of
from snapaudit.app.foreseeing import foresee, held
from snapaudit.app.gather import settings_of
from snapaudit.app.planning import Wanted, make_plan
from snapaudit.app.rulebook import rule_of
from snapaudit.cli.exits import Exit
from snapaudit.cli.options import Common, clock, terminal_width, use_colour, with_common
from snapaudit.cli.reading import Judged, judge
from snapaudit.cli.writing import targets, write
from snapaudit.model.explanation import RuleExplanation
from snapaudit.model.policy import Rule

FORMATS = ("text", "json")


@with_common
def command(
    common: Common,
    name: Annotated[
        str,
        Argument(
            help="A rule, or what a finding is about: VM/SNAPSHOT, a machine, a datastore, a file, "
            "an endpoint, an exemption.",
            metavar="ID-OR-RULE",
        ),
    ],
) -> int:
    """Tell why a snapshot is (not) a finding and would (not) be deleted; or what a rule means.

    Example: snapaudit explain web01/before-upgrade
    """
    where = targets(common.format, common.output or (), FORMATS, "text")
    settings = settings_of(common.request())
    folders = tuple(common.rules or ())
    rule = rule_of(name, settings, folders)
    if rule is not None:
        policy, now = policy_of(settings, folders), common.judged_at(clock())
        told = explain_rule(rule, policy, now)
        write(where, lambda form: _rule_page(common, told, rule, form, now))
        return Exit.DONE
    judged = judge(common)
    write(where, lambda form: _page(common, judged, name, form))
    return Exit.DONE


def _rule_page(
    common: Common, told: RuleExplanation, rule: Rule, form: str, now: datetime
) -> bytes:
    from snapaudit.report.json import render as render_json
    from snapaudit.report.ruling import render_rule

    if form == "json":
        return render_json(told)
    return render_rule(told, rule, now, width=terminal_width(), colour=use_colour(common))


def _page(common: Common, judged: Judged, name: str, form: str) -> bytes:
    from snapaudit.report.explanation import render_explanation
    from snapaudit.report.json import render as render_json
    from snapaudit.report.tree import render_tree

    audit, now = judged.audit, judged.now
    explanation = explain(audit, judged.policy, now, name, judged.past)
    subject = explanation.subject
    made = make_plan(audit, judged.policy, judged.settings, Wanted(author=""), now)
    explanation = replace(
        explanation,
        enforcement=foresee(made, subject),
        holds=held(audit, judged.settings, subject, now),
    )
    if form == "json":
        return render_json(explanation)
    width, colour = terminal_width(), use_colour(common)
    snapshot = snapshot_of(audit, subject)
    page = render_explanation(explanation, snapshot, now, width=width, colour=colour)
    seen = machine_of(audit, subject)
    if seen is None:
        return page
    return page + b"\n" + render_tree(*seen, audit, now, width=width, colour=colour)
