"""Lines that a script printed, as rows. What was cut, or is not what was agreed, is no answer.

Unknown kinds and keys are ignored. Lines are read as they come; how long and how many they may be
is bounded, since whoever answers may not be whom we meant.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any, NoReturn

from snapaudit.errors import AccessDenied, HypervisorError
from snapaudit.hypervisors.hyperv.delivery import LONGEST_LINE
from snapaudit.hypervisors.hyperv.fields import Fields, Malformed
from snapaudit.hypervisors.hyperv.rows import Answer
from snapaudit.hypervisors.hyperv.vocabulary import KINDS

VERSION = 1
MOST_ROWS = 200_000
MOST_LETTERS = 2**26
_FULL = "FullLanguage"
_CUT = "the answer was cut, so nothing of it counts"
_CONSTRAINED = (
    "PowerShell there runs in {mode}, which forbids scripts of others: exempt the account from the "
    "application control policy, or name a JEA endpoint (session: jea)"
)
_NO_MODULE = (
    "its Hyper-V PowerShell module cannot be loaded ({words}): install it there with "
    "Install-WindowsFeature Hyper-V-PowerShell"
)
_NO_LIST = (
    "its {what} cannot be listed ({words}): the account has to be in Hyper-V Administrators there"
)
_LISTS = {"vms": "virtual machines", "cps": "checkpoints"}


def answer(lines: Iterable[str], where: str, into: Answer | None = None) -> Answer:
    """All rows of one answer, complete; ``where`` is how messages name the host.

    ``into`` gets the rows as they come, for whoever wants those before a failure too.

    Raises HypervisorError for an answer that was cut, cannot be understood, or says that the host
    could not be read at all: constrained language, no Hyper-V module, no list of machines.
    """
    reading = _Reading(where, Answer() if into is None else into)
    try:
        for line in lines:
            reading.take(line)
    finally:
        close: Callable[[], None] | None = getattr(lines, "close", None)
        if close is not None:
            close()  # the shell on the host goes now, not when somebody collects garbage
    return reading.finished()


class _Reading:
    """An answer under way."""

    def __init__(self, where: str, answer: Answer) -> None:
        self._where, self._answer = where, answer
        self._rows, self._letters = 0, 0
        self._has_ended = False

    def take(self, line: str) -> None:
        """One line more."""
        if not line.strip():
            return
        self._bounded(line)
        row = self._row(line)
        if self._has_ended:
            self._refuse("a row follows the last one")
        kind = row.get("k")
        try:
            if kind == "end":
                self._end(Fields(row))
                return
            self._rows += 1
            if isinstance(kind, str) and kind in KINDS:
                KINDS[kind](self._answer, Fields(row))
        except Malformed as error:
            self._refuse(f"row {self._rows} ({str(kind)[:40]!a}): {error}")
        self._check_host(kind)
        self._check_lists(kind)

    def finished(self) -> Answer:
        """The answer, once it is known to be all there."""
        if not self._has_ended:
            raise HypervisorError(f"{self._where}: {_CUT}: its last row is missing")
        if self._answer.host is None:
            self._refuse("no row says which host it is")
        return self._answer

    def _bounded(self, line: str) -> None:
        self._letters += len(line)
        if len(line) > LONGEST_LINE or self._letters > MOST_LETTERS or self._rows >= MOST_ROWS:
            self._refuse("it is longer than any host has to say")

    def _row(self, line: str) -> dict[str, Any]:
        try:
            row = json.loads(line, parse_constant=_no_number)
        except (ValueError, RecursionError):
            row = None
        if not isinstance(row, dict):
            self._refuse(f"line {self._rows + 1} is no row: {line[:80]!a}")
        return row

    def _end(self, row: Fields) -> None:
        if row.needed_number("rows") != self._rows:
            raise HypervisorError(f"{self._where}: {_CUT}: rows are missing")
        self._has_ended = True

    def _check_host(self, kind: object) -> None:
        host = self._answer.host
        if kind != "host" or host is None:
            return
        if host.language_mode != _FULL:
            mode = ascii(host.language_mode[:40]).strip("'")
            raise HypervisorError(f"{self._where}: {_CONSTRAINED.format(mode=mode)}")
        if host.version != VERSION:
            self._refuse(f"its version is {host.version}, and {VERSION} is expected")

    def _check_lists(self, kind: object) -> None:
        if kind != "err":
            return
        error = self._answer.errors[-1]
        words = " ".join(error.message.split()) or "no reason was told"
        if error.where == "module":
            raise HypervisorError(f"{self._where}: {_NO_MODULE.format(words=words)}")
        if error.where in _LISTS:
            what = _LISTS[error.where]
            raise AccessDenied(f"{self._where}: {_NO_LIST.format(what=what, words=words)}")

    def _refuse(self, why: str) -> NoReturn:
        raise HypervisorError(f"{self._where}: the answer cannot be understood: {why}")


def _no_number(_: str) -> NoReturn:
    raise ValueError
