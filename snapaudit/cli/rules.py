"""``snapaudit rules``: which rules are in force, one of them whole, or whether files are right."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer
from typer import Argument

from snapaudit.app.audit import policy_of
from snapaudit.app.gather import settings_of
from snapaudit.cli.exits import Exit
from snapaudit.cli.options import Common, with_common
from snapaudit.codec.expect import nearest
from snapaudit.errors import InputError, UsageError
from snapaudit.model.policy import Policy
from snapaudit.report.escape import plain


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
    common: Common, rule: Annotated[str, Argument(help="The rule's id.", metavar="RULE")]
) -> int:
    """The file of one rule as it is in force, with the place it comes from.

    Example: snapaudit rules show stale-snapshot
    """
    policy = _policy(common)
    found = next((one for one in policy.rules if one.id == rule), None)
    if found is None:
        near = nearest(rule, [one.id for one in policy.rules])
        hint = f"; did you mean {near!r}?" if near else ""
        raise UsageError(f"there is no rule {rule!r}{hint}")
    path = Path(found.source.source)
    try:
        body = path.read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(str(path), f"cannot be read: {error.strerror}") from error
    sys.stdout.write(f"# {path.name}\n{body}")
    return Exit.DONE


@with_common
def _validate(common: Common) -> int:
    """Read configuration and rules and say what is wrong with them, if anything.

    Example: snapaudit rules validate --rules my-rules
    """
    policy = _policy(common)
    sys.stdout.write(f"{len(policy.rules)} rules are valid, {len(policy.disabled)} disabled\n")
    return Exit.DONE
