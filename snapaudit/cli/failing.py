"""A check that could not be made, in the words of the format that was asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from snapaudit.report.escape import checkmk_text, piped, plain

_LINES: Mapping[str, Callable[[str], str]] = {
    "text": lambda message: f"UNKNOWN: {plain(message)}",
    "nagios": lambda message: f"SNAPAUDIT UNKNOWN - {piped(message)}",
    "checkmk": lambda message: f'3 "snapaudit" - {checkmk_text(message)}',
}


def verdict_of_failure(arguments: Sequence[str], message: str) -> str:
    """One line for the formats that are one; a document that could not be made stays empty."""
    line = _LINES.get(_format(arguments))
    return f"{line(message)}\n" if line is not None else ""


def _format(arguments: Sequence[str]) -> str:
    """What -f says, read off the words themselves: they may be what is wrong."""
    wanted = "text"
    for number, word in enumerate(arguments):
        if word in ("-f", "--format"):
            wanted = "".join(arguments[number + 1 : number + 2])
        elif word.startswith("--format="):
            wanted = word.removeprefix("--format=")
        elif word.startswith("-f") and not word.startswith("--"):
            wanted = word.removeprefix("-f").removeprefix("=")
    return wanted
