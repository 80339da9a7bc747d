"""``snapaudit rules``: which rules are in force, one of them whole, or whether files are right."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer
from typer import Argument, Option

from snapaudit.app.audit import policy_of
from snapaudit.app.gather import settings_of
from snapaudit.app.rulebook import resolve
from snapaudit.cli.exits import Exit
from snapaudit.cli.options import Common, terminal_width, use_colour, with_common
from snapaudit.cli.writing import targets, write
from snapaudit.codec.documents import to_json
from snapaudit.codec.expect import nearest
from snapaudit.errors import InputError, UsageError
from snapaudit.model.policy import Policy, Rule
from snapaudit.report.escape import plain

FORMATS = ("text", "json")


def commands() -> typer.Typer:
    """The commands below ``rules``."""
    tree = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="The rules in force.")
    tree.command("list")(_list)
    tree.command("show")(_show)
    tree.command("validate")(_validate)
    return tree


def _policy(common: Common) -> Policy:
    return policy_of(settings_of(common.request()), tuple(common.rules or ()))


@with_common
def _list(common: Common) -> int:
    """One line a rule: id, what it is about, how far it goes, title.

    Example: snapaudit rules list
    """
    from snapaudit.report.modes import brief

    policy = _policy(common)
    for rule in policy.rules:
        line = f"{rule.id:<28} {rule.subject:<16} {brief(rule):<13} {rule.title}"
        sys.stdout.write(f"{plain(line)}\n")
    for name in policy.disabled:
        sys.stdout.write(f"{plain(name):<28} disabled\n")
    return Exit.DONE


@with_common
def _show(
    common: Common,
    rule: Annotated[str, Argument(help="The rule's id.", metavar="RULE")],
    resolved: Annotated[
        bool,
        Option("--resolved", help="Its levels in each environment, and where each is written."),
    ] = False,
) -> int:
    """The file of one rule as it is in force, with the place it comes from.

    Example: snapaudit rules show stale-snapshot --resolved
    """
    policy = _policy(common)
    found = _named(policy, rule)
    where = targets(common.format, common.output or (), FORMATS, "text")
    if resolved or common.format == "json":
        write(where, lambda form: _resolved(found, policy, form, common))
    else:
        write(where, lambda _: _file_of(found))
    return Exit.DONE


def _named(policy: Policy, name: str) -> Rule:
    found = next((rule for rule in policy.rules if rule.id == name), None)
    if found is not None:
        return found
    near = nearest(name, [rule.id for rule in policy.rules])
    hint = f"; did you mean {near!r}?" if near else ""
    raise UsageError(f"there is no rule {name!r}{hint}")


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
    """Read configuration and rules and say what is wrong with them, if anything.

    Example: snapaudit rules validate --rules my-rules
    """
    policy = _policy(common)
    sys.stdout.write(f"{len(policy.rules)} rules are valid, {len(policy.disabled)} disabled\n")
    return Exit.DONE
