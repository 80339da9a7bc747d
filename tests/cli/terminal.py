"""The program on a terminal of its own, with somebody who reads and types."""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.canaries.search import expect_none
from tests.cli.running import environment

WITHIN = 60.0
_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")

# A new session has no terminal until one is given to it: passwords are asked for at /dev/tty.
_MAIN = (
    "import fcntl, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); "
    "sys.argv[0] = 'snapaudit'; from snapaudit.__main__ import main; main()"
)


class Terminal:
    """``said`` is everything on the screen so far, without colours."""

    def __init__(self, process: subprocess.Popen[bytes], line: int) -> None:
        self._process, self._line = process, line
        self._raw, self._from = b"", 0

    @property
    def code(self) -> int:
        return self._process.wait(WITHIN)

    @property
    def said(self) -> str:
        return _ESCAPES.sub("", self._raw.decode("utf-8", "replace")).replace("\r\n", "\n")

    def wait_for(self, words: str) -> None:
        """Until these words are on the screen, after all that was waited for before."""
        while (at := self.said.find(words, self._from)) < 0:
            assert self._read(), f"it ended without {words!r}:\n{self.said}"
        self._from = at + len(words)

    def answer(self, question: str, answer: str) -> None:
        """Type a line once that question is on the screen."""
        self.wait_for(question)
        self.type(f"{answer}\n")

    def type(self, text: str) -> None:
        os.write(self._line, text.encode())

    def rest(self) -> str:
        """Everything that it says until it ends."""
        while self._read():
            pass
        expect_none(self._raw, "the terminal")
        return self.said

    def _read(self) -> bool:
        assert select.select([self._line], [], [], WITHIN)[0], f"it hangs:\n{self.said}"
        try:
            piece = os.read(self._line, 65536)
        except OSError:  # so Linux says that nobody writes any more
            return False
        self._raw += piece
        return bool(piece)


@contextmanager
def terminal(*words: str, cwd: Path, **environ: str) -> Iterator[Terminal]:
    """The program in that folder, 100 columns wide."""
    line, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", _MAIN, *words],
        cwd=cwd,
        env=environment(cwd, {"TERM": "xterm", "COLUMNS": "100", **environ}),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    try:
        yield Terminal(process, line)
    finally:
        process.kill()
        process.wait()
        os.close(line)
