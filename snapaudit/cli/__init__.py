"""The command line: parse, one call into app, render, exit code."""

from __future__ import annotations

import os
import sys

from typer.exceptions import TyperException

from snapaudit.cli.asking import ask_password
from snapaudit.cli.exits import CHECK_UNKNOWN, Exit, exit_of, usage_exit
from snapaudit.config.typed import TYPIST


def run(arguments: list[str]) -> int:
    """Carry out one command line; the exit code. What goes wrong is one line on stderr."""
    from snapaudit.cli.commands import application

    is_check = "check" in arguments[:1]
    TYPIST.whom = ask_password if sys.stdin.isatty() else None
    try:
        answer = application(*arguments[:1])(
            arguments, prog_name="snapaudit", standalone_mode=False
        )
        sys.stdout.flush()
        if answer == Exit.INTERRUPTED:  # so typer answers for an interrupt that reached it
            return _say("interrupted", Exit.INTERRUPTED)
        return CHECK_UNKNOWN if is_check and _is_unread_help(arguments) else int(answer or 0)
    except TyperException as error:
        return _fail(arguments, error.format_message(), usage_exit(is_check=is_check))
    except KeyboardInterrupt:
        return _say("interrupted", Exit.INTERRUPTED)
    except SystemExit as ended:  # so typer answers for a reader who has gone
        return CHECK_UNKNOWN if is_check and ended.code else _number(ended.code)
    except BrokenPipeError:
        # The reader (`head`, a pager) has gone; nothing more can be said to it.
        _give_up_stdout()
        return CHECK_UNKNOWN if is_check else Exit.FAILED
    except Exception as error:  # noqa: BLE001 - the last place where a traceback can be avoided
        return _fail(arguments, *exit_of(error, is_check=is_check))


def _number(code: object) -> int:
    return code if isinstance(code, int) else int(bool(code))


def _is_unread_help(arguments: list[str]) -> bool:
    """Help that no person reads: a monitoring system must not take it for OK."""
    return not sys.stdout.isatty() and not {"-h", "--help"}.isdisjoint(arguments)


def _fail(arguments: list[str], message: str, code: int) -> int:
    """Monitoring shows what a plugin writes to stdout: there the failure is the result."""
    try:
        if arguments[:1] == ["check"]:
            from snapaudit.cli.failing import verdict_of_failure

            sys.stdout.write(verdict_of_failure(arguments, message))
        sys.stdout.flush()
    except OSError:
        # Often the failure is that of stdout itself; the exit code still tells.
        _give_up_stdout()
    return _say(message, code)


def _give_up_stdout() -> None:
    """What still waits to be written does not fail once more while the process ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _say(message: str, code: int) -> int:
    from snapaudit.report.escape import plain

    sys.stderr.write(f"snapaudit: {plain(message)}\n")
    return code
