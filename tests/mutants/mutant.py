"""One mutant: a text of the safety core, and what stands there instead."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Mutant:
    """``takes_away`` says in words which protection is missing."""

    file: str
    old: str
    new: str
    takes_away: str

    @property
    def path(self) -> Path:
        """The file below the root of a checkout."""
        return Path("snapaudit") / self.file

    def applied_to(self, text: str) -> str:
        """The text with the one replacement. Raises ValueError unless it has exactly one place."""
        found = text.count(self.old)
        if found != 1:
            raise ValueError(f"{self.path}: {self.old!r} stands there {found} times, not once")
        return text.replace(self.old, self.new)
