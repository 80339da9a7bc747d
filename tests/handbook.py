"""The page about rules, made anew from rules, facts and operators: ``make docs``."""

from __future__ import annotations

from pathlib import Path

from snapaudit.app.rulebook import handbook
from snapaudit.report.handbook import render
from snapaudit.rules.loader import load_policy

FILE = Path(__file__).parent.parent / "docs" / "rules.md"


def page() -> bytes:
    """What docs/rules.md has to be: the built-in rules as they are without any configuration."""
    return render(handbook(load_policy((), disable={}, levels={}, environments=())))


if __name__ == "__main__":
    FILE.write_bytes(page())
