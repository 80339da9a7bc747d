"""What ``--help`` shows of a command: one sentence, its options in groups, examples that work.

A docstring says it: its first sentence stands in the list of commands, and each line that begins
with ``Example:`` is one command line, with what is indented below it.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

import typer
from typer.core import TyperArgument, TyperCommand, TyperGroup

from snapaudit.cli.exits import Exit

_EXAMPLE = "Example: "
_GROUPS = {
    "What is read": ("config", "endpoint", "inventory", "demo", "rules", "now"),
    "Where the result goes": ("format", "output"),
    "What is said and asked": ("quiet", "verbose", "no_color", "no_progress", "yes", "help"),
}
_SHARED = {name: title for title, names in _GROUPS.items() for name in names}
# Where a command has its own ``-o`` it has none of the shared options, and all stand in one group.
_MARK_OF_SHARED = "config"
# Both are click's, of which typer keeps a private copy that cannot be named.
Context = Any
Formatter = Any


def examples(text: str | None) -> tuple[str, ...]:
    """The command lines that a help text gives as examples."""
    return tuple(_split(text)[1])


def _split(text: str | None) -> tuple[str, list[str]]:
    """Prose and examples; an indented line goes on with the example above it."""
    prose: list[str] = []
    found: list[str] = []
    for line in inspect.cleandoc(text or "").splitlines():
        if line.startswith(_EXAMPLE):
            found.append(line.removeprefix(_EXAMPLE))
        elif found and line.startswith(" "):
            found[-1] += f" {line.strip()}"
        else:
            prose.append(line)
    return "\n".join(prose).strip(), found


def _first_sentence(text: str | None) -> str:
    paragraph = " ".join(_split(text)[0].split("\n\n")[0].split())
    return paragraph.partition(". ")[0].removesuffix(".") + "."


class HelpfulCommand(TyperCommand):
    """A command whose help is read from top to bottom by somebody in a hurry."""

    def format_help_text(self, ctx: Context, formatter: Formatter) -> None:
        """The docstring without its examples, which come last."""
        del ctx
        formatter.write_paragraph()
        with formatter.indentation():
            formatter.write_text(_split(self.help)[0])

    def format_options(self, ctx: Context, formatter: Formatter) -> None:
        """Arguments and own options first; what all commands share below, by what it is for."""
        sections: dict[str, list[tuple[str, str]]] = {}
        params = self.get_params(ctx)
        shares = any(param.name == _MARK_OF_SHARED for param in params)
        for param in params:
            if isinstance(param, TyperArgument):
                sections.setdefault("Arguments", []).append(_argument(param))
            elif record := param.get_help_record(ctx):
                group = _SHARED.get(param.name or "", "Options") if shares else "Options"
                sections.setdefault(group, []).append(record)
        for title in ("Arguments", "Options", *_GROUPS):
            if title in sections:
                with formatter.section(title):
                    formatter.write_dl(sections[title])

    def format_epilog(self, ctx: Context, formatter: Formatter) -> None:
        """Examples, each on lines of its own so that it can be copied."""
        del ctx
        lines = examples(self.help)
        if lines:
            with formatter.section("Examples" if len(lines) > 1 else "Example"):
                for line in lines:
                    formatter.write(f"{'':>{formatter.current_indent}}{line}\n")

    def collect_usage_pieces(self, ctx: Context) -> list[str]:
        """An argument that is needed stands there bare, as in other programs' usage."""
        pieces = super().collect_usage_pieces(ctx)
        return [piece.strip("{}") for piece in pieces]


class HelpfulGroup(TyperGroup):
    """A command with commands below it: each with its whole sentence."""

    def format_commands(self, ctx: Context, formatter: Formatter) -> None:
        """One line or more a command; a sentence that is cut off explains nothing."""
        del ctx
        rows = [(name, _first_sentence(self.commands[name].help)) for name in self.commands]
        with formatter.section("Commands"):
            formatter.write_dl(rows)

    def parse_args(self, ctx: Context, args: list[str]) -> list[str]:
        """Without any word the help goes to stderr, as it is: it is no result."""
        if not args and not ctx.resilient_parsing:
            typer.echo(ctx.get_help(), err=True)
            raise typer.Exit(Exit.WRONG_INPUT)
        return super().parse_args(ctx, args)


def _argument(param: TyperArgument) -> tuple[str, str]:
    name = (param.metavar or param.name or "").upper()
    return f"{name}..." if param.nargs != 1 else name, param.help or ""


def helpful(tree: typer.Typer) -> typer.Typer:
    """The tree with this help for every command in it."""
    for command in _commands(tree):
        command.cls = HelpfulCommand
    return tree


def _commands(tree: typer.Typer) -> Iterator[Any]:
    yield from tree.registered_commands
    for group in tree.registered_groups:
        if group.typer_instance is not None:
            yield from _commands(group.typer_instance)
