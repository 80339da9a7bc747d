"""How long the program takes to say its version, against an interpreter that does nothing."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

ROUNDS = 11


def _median(*words: str) -> float:
    took = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        subprocess.run(words, check=True, capture_output=True)
        took.append(time.perf_counter() - began)
    return statistics.median(took)


def run() -> None:
    """Print the table. The goal is under 0.2 s for the version."""
    floor = _median(sys.executable, "-c", "pass")
    rows = (
        ("--version", (sys.executable, "-m", "snapaudit", "--version")),
        ("--help", (sys.executable, "-m", "snapaudit", "--help")),
        ("rules list", (sys.executable, "-m", "snapaudit", "rules", "list")),
    )
    print(f"{'bare interpreter':<20} {floor:8.3f} s")
    for name, words in rows:
        took = _median(*words)
        print(f"{name:<20} {took:8.3f} s   {took / floor:5.1f} times the interpreter")


if __name__ == "__main__":
    run()
