"""The way in: answers ``--version`` by itself and hands all else to the commands."""

from __future__ import annotations

import sys

from snapaudit import __version__


def main() -> None:
    """Run the command line and end the process with its exit code."""
    if sys.argv[1:] == ["--version"]:
        print(f"snapaudit {__version__}")  # noqa: T201 - the answer itself, before any import
        raise SystemExit(0)
    from snapaudit.hardening import harden

    harden()
    from snapaudit.cli import run

    raise SystemExit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
