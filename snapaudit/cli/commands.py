"""All commands of the program, each in a module of its name.

Only the one that is meant is imported: a program that runs in other programs' loops starts fast.
"""

from __future__ import annotations

from importlib import import_module
from typing import Annotated

import typer

from snapaudit import __version__
from snapaudit.cli.helping import HelpfulGroup, helpful

NAMES = (
    *("init", "doctor", "collect", "audit", "check", "report", "diff", "forecast", "serve"),
    *("enforce", "explain", "rules", "exempt", "hold", "history", "journal"),
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"snapaudit {__version__}")
        raise typer.Exit


def _main(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Find, explain and clean up VM snapshots."""
    del version


def application(wanted: str | None = None) -> typer.Typer:
    """The command tree; with one command alone where a known one is wanted."""
    tree = typer.Typer(
        cls=HelpfulGroup,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    tree.callback()(_main)
    for name in (wanted,) if wanted in NAMES else NAMES:
        module = import_module(f"snapaudit.cli.{name}")
        if hasattr(module, "commands"):
            tree.add_typer(module.commands(), name=name, cls=HelpfulGroup)
        else:
            tree.command(name)(module.command)
    return helpful(tree)
