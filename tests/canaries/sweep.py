"""All that a run of the tests has left, searched once its last test has ended."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path

from tests.canaries.search import Finding, in_content, in_file

ALLOWED = {
    "*/given/*": "what a credential is read from: by the program, or by a server of the tests",
}
"""Where a credential may stand, by the path below the temporary folder, and why.

What servers of the tests keep for themselves (accounts, keys, logs) is in folders of their own,
which end with them.
"""

LEFT_IN_CHECKOUT = ("reports", ".hypothesis", ".pytest_cache", ".coverage*", "htmlcov", "core*")


@dataclass
class Sweep:
    """What was searched so far, and what was found."""

    findings: list[Finding] = field(default_factory=list)
    since: float = field(default_factory=time.time)
    files: int = 0
    seconds: float = 0.0

    def text(self, text: str, place: str) -> None:
        """Search what a test printed or logged."""
        self.findings += in_content(text.encode("utf-8", "surrogatepass"), place)

    def temporary(self, folder: Path) -> None:
        """Search the temporary folders of all tests and workers."""
        for path in _files(folder):
            if not any(fnmatch(str(path.relative_to(folder.parent)), each) for each in ALLOWED):
                self._search(path)

    def checkout(self, folder: Path) -> None:
        """Search what this run has written into the checkout."""
        for pattern in LEFT_IN_CHECKOUT:
            for path in (path for top in folder.glob(pattern) for path in _files(top)):
                if path.lstat().st_mtime >= self.since:
                    self._search(path)

    def _search(self, path: Path) -> None:
        begun = time.process_time()
        self.findings += in_file(path)
        self.files += not path.is_dir()
        self.seconds += time.process_time() - begun

    def told(self) -> Iterator[str]:
        """How much was searched, and a line for each finding."""
        yield f"{self.files:,} files searched for credentials in {self.seconds:.1f} s"
        yield from (f"FAILED: a credential is given away: {each}" for each in self.findings)


def _files(top: Path) -> Iterator[Path]:
    """It, and what is beneath it where it is a folder; links are not followed."""
    yield top
    for at, folders, names in os.walk(top):
        yield from (Path(at) / name for name in sorted((*folders, *names)))
