"""The way in: answers ``--version`` by itself and hands all else to the commands."""

from __future__ import annotations

import os
import sys

from snapaudit import __version__


def main() -> None:
    """Run the command line and end the process with its exit code."""
    _open_what_is_closed()
    if sys.argv[1:] == ["--version"]:
        print(f"snapaudit {__version__}")  # noqa: T201 - the answer itself, before any import
        raise SystemExit(0)
    from snapaudit.hardening import harden

    harden()
    from snapaudit.cli import run

    raise SystemExit(run(sys.argv[1:]))


def _open_what_is_closed() -> None:
    """Give a stream that the caller closed (``>&-``) to nobody.

    Else the next file that is opened, the journal perhaps, gets its number, and what libraries
    print lands in it.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            while (handle := os.open(os.devnull, os.O_RDWR)) < number:
                pass
            mode = "w" if number else "r"
            setattr(sys, name, os.fdopen(handle, mode, encoding="utf-8"))


if __name__ == "__main__":
    main()
