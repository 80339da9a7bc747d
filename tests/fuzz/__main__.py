"""``python -m tests.fuzz [NAME...]``: fuzz targets or groups of them, all when none is named.

``--inputs`` makes a round that is the same each time; ``--seconds`` one as long as wanted. What was
found is told, written below ``--found``, and makes the exit code 1.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.fuzz.engine import Report, Stop
from tests.fuzz.finding import FOUND
from tests.fuzz.isolated import fuzzed
from tests.fuzz.target import Target
from tests.fuzz.targets import every_target

_HEAD = f"{'target':<24}{'inputs':>9}{'kept':>7}{'steps':>8}{'worst s':>9}{'MiB':>6}  found"


def main(words: Sequence[str] | None = None) -> int:
    """Run the chosen rounds, one after the other."""
    wish = _wish(words)
    chosen = _chosen(wish.names)
    print(_HEAD, flush=True)
    reports = [_round(target, wish) for target in chosen]
    findings = [finding for report in reports for finding in report.findings]
    print(
        f"\n{sum(one.inputs for one in reports):,} inputs, seed {wish.seed}: {_verdict(findings)}"
    )
    return 1 if findings else 0


def _wish(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("names", nargs="*", help="targets or groups")
    parser.add_argument("--seed", type=int, default=1)
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--inputs", type=int, help="so many for each target")
    length.add_argument("--seconds", type=float, default=60.0, help="processor time for each")
    parser.add_argument("--found", type=Path, default=FOUND, help="folder for what is found")
    return parser.parse_args(words)


def _chosen(names: Sequence[str]) -> tuple[Target, ...]:
    every = every_target()
    unknown = set(names) - {one.name for one in every} - {one.group for one in every}
    if unknown:
        known = ", ".join(one.name for one in every)
        sys.exit(f"no such target or group: {', '.join(sorted(unknown))}; there are {known}")
    return tuple(one for one in every if not names or {one.name, one.group} & set(names))


def _round(target: Target, wish: argparse.Namespace) -> Report:
    seconds = None if wish.inputs is not None else wish.seconds
    report = fuzzed(target, wish.seed, Stop(inputs=wish.inputs, seconds=seconds))
    worst = report.worst
    print(
        f"{target.name:<24}{report.inputs:>9,}{report.corpus:>7,}{report.steps:>8,}"
        f"{worst.seconds:>9.2f}{worst.held / 2**20:>6.0f}  {len(report.findings)}",
        flush=True,
    )
    for finding in report.findings:
        print(f"{finding}\n  {finding.save(wish.found)}", flush=True)
    return report


def _verdict(findings: Sequence[object]) -> str:
    return f"{len(findings)} findings" if findings else "nothing found"


if __name__ == "__main__":
    sys.exit(main())
