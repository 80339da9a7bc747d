"""``snapaudit rules``: which rules are in force, one of them whole, or whether files are right."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer
from typer import Argument, Option

from snapaudit.app.audit import policy_of
from snapaudit.app.gather import settings_of
from snapaudit.app.rulebook import (
    coverage_of,
    handbook,
    resolve,
    rule_named,
    runs_of,
    tests_of,
)
from snapaudit.cli.exits import Exit, view_exit
from snapaudit.cli.options import Common, terminal_width, use_colour, with_common
from snapaudit.cli.reading import judge
from snapaudit.cli.writing import targets, write
from snapaudit.codec.documents import to_json
from snapaudit.errors import InputError
from snapaudit.model.policy import Policy, Rule
from snapaudit.report.escape import plain

FORMATS = ("text", "json")
_TEXT = ("text",)


def commands() -> typer.Typer:
    """The commands below ``rules``."""
    tree = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="The rules in force.")
    tree.command("list")(_list)
    tree.command("show")(_show)
    tree.command("validate")(_validate)
    tree.command("test")(_test)
    tree.command("coverage")(_coverage)
    tree.command("schema")(_schema)
    tree.command("docs")(_docs)
    return tree


def _policy(common: Common) -> Policy:
    return policy_of(settings_of(common.request()), tuple(common.rules or ()))


@with_common
def _list(common: Common) -> int:
    """One line a rule: id, what it is about, how far it goes, title.

    Example: snapaudit rules list
    """
    where = targets(common.format, common.output or (), _TEXT, "text")
    listed = _listed(_policy(common))
    write(where, lambda _: listed.encode())
    return Exit.DONE


def _listed(policy: Policy) -> str:
    from snapaudit.report.modes import brief

    lines = [
        *(f"{one.id:<28} {one.subject:<16} {brief(one):<13} {one.title}" for one in policy.rules),
        *(f"{name:<28} disabled" for name in policy.disabled),
    ]
    return "".join(f"{plain(line)}\n" for line in lines)


@with_common
def _show(
    common: Common,
    rule: Annotated[str, Argument(help="The rule's id.", metavar="RULE")],
    resolved: Annotated[
        bool,
        Option("--resolved", help="Its levels in each environment, and where each is written."),
    ] = False,
) -> int:
    """One rule: its file, or its levels in force.

    --resolved shows the levels in each environment, with the file and line of every value.

    Example: snapaudit rules show stale-snapshot --resolved
    """
    policy = _policy(common)
    found = rule_named(policy, rule)
    where = targets(common.format, common.output or (), FORMATS, "text")
    if resolved or common.format == "json":
        write(where, lambda form: _resolved(found, policy, form, common))
    else:
        write(where, lambda _: _file_of(found))
    return Exit.DONE


def _resolved(rule: Rule, policy: Policy, form: str, common: Common) -> bytes:
    from snapaudit.report.rulebook import render_resolved

    told = resolve(rule, policy)
    if form == "json":
        return to_json(told).encode()
    return render_resolved(told, rule, width=terminal_width(), colour=use_colour(common))


def _file_of(rule: Rule) -> bytes:
    path = Path(rule.source.source)
    try:
        body = path.read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(str(path), f"cannot be read: {error.strerror}") from error
    return f"# {path.name}\n{body}".encode()


@with_common
def _validate(common: Common) -> int:
    """Whether configuration and rules are right.

    Example: snapaudit rules validate --rules my-rules
    """
    where = targets(common.format, common.output or (), _TEXT, "text")
    policy = _policy(common)
    said = f"{len(policy.rules)} rules are valid, {len(policy.disabled)} disabled\n"
    write(where, lambda _: said.encode())
    return Exit.DONE


@with_common
def _test(
    common: Common,
    rule: Annotated[
        list[str] | None, Argument(help="Only these rules.", metavar="[RULE]...")
    ] = None,
) -> int:
    """Try each rule on the cases in its file.

    Ends with 2 when a rule does not answer as a case says. What the configuration changes about
    levels is left out: cases are about files.

    Example: snapaudit rules test --rules my-rules
    """
    from snapaudit.report.rulebook import render_tests

    where = targets(common.format, common.output or (), FORMATS, "text")
    tests = tests_of(settings_of(common.request()), tuple(common.rules or ()), rule or ())
    write(where, lambda form: _written(tests, form, common, render_tests))
    return Exit.DONE if tests.hold else Exit.WRONG_INPUT


@with_common
def _coverage(common: Common) -> int:
    """Which rules never matched, now and before.

    Reads the endpoints, or what --inventory or --demo name, and the runs of the history.

    Example: snapaudit rules coverage --inventory today.json.gz
    """
    from snapaudit.report.rulebook import render_coverage

    where = targets(common.format, common.output or (), FORMATS, "text")
    judged = judge(common)
    runs = None if common.demo else runs_of(judged.settings, os.environ)
    told = coverage_of(judged.audit, judged.policy, runs)
    write(where, lambda form: _written(told, form, common, render_coverage))
    return view_exit(judged.audit)


@with_common
def _schema(common: Common) -> int:
    """The JSON Schema of a rule file.

    An editor with it checks a rule and completes facts and operators while it is written.

    Example: snapaudit rules schema -o rule.schema.json
    """
    from snapaudit.rules.schema import rule_schema

    where = targets(common.format, common.output or (), ("json",), "json")
    body = json.dumps(rule_schema(), indent=2, ensure_ascii=False)
    write(where, lambda _: f"{body}\n".encode())
    return Exit.DONE


@with_common
def _docs(common: Common) -> int:
    """The handbook of rules, as Markdown.

    How to write a rule, every rule in force with its cases, every fact and operator.

    Example: snapaudit rules docs -o rules.md
    """
    from snapaudit.report.handbook import render

    where = targets(common.format, common.output or (), ("markdown",), "markdown")
    policy = _policy(common)
    write(where, lambda _: render(handbook(policy)))
    return Exit.DONE


def _written(told: object, form: str, common: Common, render: Callable[..., bytes]) -> bytes:
    if form == "json":
        return to_json(told).encode()
    return render(told, width=terminal_width(), colour=use_colour(common))
