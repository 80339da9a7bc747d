"""The options that every command shares, declared once."""

from __future__ import annotations

import inspect
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, get_type_hints

from typer import Option

from snapaudit.app.gather import Request
from snapaudit.errors import UsageError

_NO_TERMINAL = 100
_FORMAT = "Output format, such as json; a word that is none is answered with the list."
_CONFIG = "Configuration; else SNAPAUDIT_CONFIG, ./snapaudit.yaml, the user's, the system's."


@dataclass(frozen=True, slots=True, kw_only=True)
class Common:
    """What the shared options said."""

    config: Annotated[Path | None, Option("-c", "--config", help=_CONFIG, metavar="FILE")] = None
    endpoint: Annotated[
        list[str] | None,
        Option(help="Only this endpoint, or pattern (repeatable).", metavar="NAME"),
    ] = None
    inventory: Annotated[
        list[Path] | None,
        Option(help="A saved inventory instead of endpoints (repeatable).", metavar="FILE"),
    ] = None
    demo: Annotated[bool, Option("--demo", help="Read a made-up fleet.")] = False
    rules: Annotated[
        list[Path] | None,
        Option(help="Your rules, besides the built-in ones (repeatable).", metavar="DIR"),
    ] = None
    now: Annotated[
        str | None,
        Option(help="Judge as of this time, like 2026-06-01T12:00:00Z.", metavar="RFC3339"),
    ] = None
    format: Annotated[str | None, Option("-f", "--format", help=_FORMAT, metavar="NAME")] = None
    output: Annotated[
        list[str] | None,
        Option(
            "-o",
            "--output",
            help="Write to a file instead; FORMAT=PATH may repeat.",
            metavar="PATH",
        ),
    ] = None
    quiet: Annotated[bool, Option("-q", "--quiet", help="Only the result and errors.")] = False
    verbose: Annotated[
        bool, Option("-v", "--verbose", help="Tell on stderr what is being done.")
    ] = False
    no_color: Annotated[bool, Option("--no-color", help="No colours.")] = False
    no_progress: Annotated[bool, Option("--no-progress", help="No progress.")] = False
    yes: Annotated[bool, Option("--yes", help="Answer every question with yes.")] = False

    def request(self) -> Request:
        """What to read."""
        return Request(
            config=self.config,
            environ=os.environ,
            folder=Path.cwd(),
            endpoints=tuple(self.endpoint or ()),
            inventories=tuple(self.inventory or ()),
            demo=self.demo,
        )

    @property
    def reads_saved(self) -> bool:
        """Whether what is read is no live view: saved inventories, the demo, or another time."""
        return bool(self.inventory or self.demo or self.now)

    def judged_at(self, clock: datetime) -> datetime:
        """The moment to judge as of: ``--now``, else the clock."""
        return parse_moment(self.now) if self.now else clock


def clock() -> datetime:
    """The present, read once a command."""
    return datetime.now(UTC)


def parse_moment(text: str) -> datetime:
    """An RFC 3339 time with its zone. Raises UsageError."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f"--now: {text!r} is no time; write 2026-06-01T12:00:00Z") from error
    if moment.tzinfo is None:
        raise UsageError(f"--now: {text!r} has no time zone; write 2026-06-01T12:00:00Z")
    return moment.astimezone(UTC)


def use_colour(common: Common) -> bool:
    """Colours on a terminal, unless NO_COLOR, TERM=dumb or the option forbid them."""
    if common.no_color or os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return False
    return bool(os.environ.get("FORCE_COLOR")) or sys.stdout.isatty()


def terminal_width() -> int:
    """Columns of the terminal somebody looks at, also when a pager stands between; else 100."""
    told = os.environ.get("COLUMNS", "")
    if told.isdecimal() and int(told):
        return int(told)
    for stream in (sys.stdout, sys.stderr, sys.stdin):
        try:
            return os.get_terminal_size(stream.fileno()).columns
        except (OSError, ValueError, AttributeError):
            continue
    return _NO_TERMINAL


def with_common(command: Callable[..., int]) -> Callable[..., int]:
    """Give a command ``command(common, ...)`` the shared options beside its own."""
    hints = get_type_hints(Common, include_extras=True)
    own = list(inspect.signature(command, eval_str=True).parameters.values())[1:]
    shared = [
        inspect.Parameter(
            field.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=field.default,
            annotation=hints[field.name],
        )
        for field in fields(Common)
    ]

    @wraps(command)
    def called(*args: Any, **values: Any) -> int:
        chosen = {field.name: values.pop(field.name) for field in fields(Common)}
        return command(Common(**chosen), *args, **values)

    signature = inspect.Signature([*own, *shared])
    called.__signature__ = signature  # type: ignore[attr-defined] # inspect looks here first
    called.__annotations__ = {p.name: p.annotation for p in signature.parameters.values()}
    del called.__wrapped__  # else the original is looked at
    return called
