"""Questions to a person: whether something may be changed now, and passwords that are typed."""

from __future__ import annotations

import sys
from getpass import getpass

from snapaudit.cli.options import Common
from snapaudit.errors import RefusedError, UsageError
from snapaudit.report.escape import plain


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


def ask_password(question: str) -> str:
    """What is typed, unseen, at the terminal itself: not on stdin, and nothing on stdout.

    Raises KeyboardInterrupt, also for the end of input: whoever does not answer wants no run.
    """
    try:
        return getpass(plain(question), stream=sys.stderr)
    except EOFError:
        raise KeyboardInterrupt from None
