"""All commands of the program."""

from __future__ import annotations

from typing import Annotated

import typer

from snapaudit import __version__
from snapaudit.cli import (
    audit,
    check,
    collect,
    diff,
    doctor,
    enforce,
    exempt,
    explain,
    forecast,
    history,
    hold,
    init,
    journal,
    report,
    rules,
    serve,
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


def application() -> typer.Typer:
    """The command tree."""
    tree = typer.Typer(
        no_args_is_help=True,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    tree.callback()(_main)
    tree.command("init")(init.command)
    tree.command("doctor")(doctor.command)
    tree.command("collect")(collect.command)
    tree.command("audit")(audit.command)
    tree.command("check")(check.command)
    tree.command("report")(report.command)
    tree.command("diff")(diff.command)
    tree.command("forecast")(forecast.command)
    tree.command("serve")(serve.command)
    tree.command("enforce")(enforce.command)
    tree.command("explain")(explain.command)
    tree.add_typer(rules.commands(), name="rules")
    tree.add_typer(exempt.commands(), name="exempt")
    tree.add_typer(hold.commands(), name="hold")
    tree.add_typer(history.commands(), name="history")
    tree.add_typer(journal.commands(), name="journal")
    return tree
