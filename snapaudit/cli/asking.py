"""The one question that the program asks: whether it may change something now."""

from __future__ import annotations

import sys

from snapaudit.cli.options import Common
from snapaudit.errors import RefusedError, UsageError


def confirm(common: Common, question: str, *, without: str) -> None:
    """Return when somebody typed yes, or gave ``--yes``.

    Raises RefusedError for any other answer, and UsageError that says ``without`` where there is no
    terminal to ask at.
    """
    if common.yes:
        return
    if not sys.stdin.isatty():
        raise UsageError(without)
    sys.stderr.write(f"{question} Type yes: ")
    sys.stderr.flush()
    if sys.stdin.readline().strip().lower() != "yes":
        raise RefusedError("not confirmed: nothing was changed")
