"""How well purposes are told, on labelled names, and how fast 100,000 snapshots are classified.

Three files have been looked at while words were written, ``names-fresh.csv`` last; only
``names-unread.csv`` tells what to expect of names never seen. Names of your own are judged by
``SNAPAUDIT_NAMES=FILE make bench``; their file has the same columns. The floor beside the time is
one look at each text by the pattern engine alone.
"""

from __future__ import annotations

import os
import sys
import time
from dataclasses import replace
from pathlib import Path

from snapaudit.errors import Place
from snapaudit.model.inventory import Snapshot
from snapaudit.rules.patterns import as_utf8, compile_pattern
from snapaudit.rules.purposes.classifier import Classifier, classifier
from snapaudit.rules.purposes.company import Company
from snapaudit.rules.purposes.reading import PurposeWord
from snapaudit.rules.quantity import age_of
from tests.bench.rules import estate
from tests.builders import NOW
from tests.rules.purposes.judging import Judgement, judge
from tests.rules.purposes.labelled import FRESH, SECOND, SEEN, UNREAD, labelled

Row = tuple[str, float, str]
_LETTERS = "qjxzkvwbgypfmucldrhsnioate"


def run() -> list[Row]:
    """Name, value and unit of each measurement, printed too."""
    files = {"seen": SEEN, "second": SECOND, "fresh": FRESH, "unread": UNREAD}
    if given := os.environ.get("SNAPAUDIT_NAMES"):
        files[Path(given).name] = Path(given)
    rows = [row for name, file in files.items() for row in _quality(name, file)]
    rows += _speed()
    for name, value, unit in rows:
        sys.stdout.write(f"{name:48} {value:10,.3f} {unit}\n")
    return rows


def _quality(name: str, file: Path) -> list[Row]:
    found: Judgement = judge(labelled(file), classifier())
    called = [(f"{name}: {purpose}", found.f1(purpose), "F1") for purpose in PurposeWord]
    return [
        (f"{name}: names", found.names, "names"),
        *called,
        (f"{name}: all eight purposes", found.macro_f1, "macro-F1, goal 0.90"),
        (f"{name}: not to be touched", found.protected_recall, "recall, goal 0.95"),
    ]


def _speed() -> list[Row]:
    shots = [shot for vm in estate().virtual_machines for shot in vm.snapshots]
    start = time.process_time()
    fresh = Classifier()
    ready = time.process_time() - start
    seconds = _timed(shots, fresh)
    unlike = _timed([_with_a_new_word(shot, at) for at, shot in enumerate(shots)], Classifier())
    floor = _floor(shots)
    return [
        ("classifier made from its data files", ready, "s"),
        ("100,000 snapshots classified", seconds, "s, goal 3"),
        ("100,000, each with a word of its own", unlike, "s, goal 3"),
        ("floor: one pattern looked for in each text", floor, "s"),
        ("ratio", seconds / floor, "times the floor"),
    ]


def _with_a_new_word(shot: Snapshot, number: int) -> Snapshot:
    """The snapshot with a word in its name that no other has and no lexicon knows."""
    word = "".join(_LETTERS[number * 7919 // 26**place % 26] for place in range(6))
    return replace(shot, name=f"{shot.name} {word}")


def _timed(shots: list[Snapshot], fresh: Classifier) -> float:
    company = Company("vsphere", 5, None, None, vm_name="erp01")
    start = time.process_time()
    for shot in shots:
        fresh.read(shot, age_of(shot.created_at, NOW), company, NOW)
    return time.process_time() - start


def _floor(shots: list[Snapshot]) -> float:
    search = compile_pattern(r"\bbackup\b", Place("bench"))
    start = time.process_time()
    for shot in shots:
        search(as_utf8(f"{shot.name}\n{shot.description}"))
    return time.process_time() - start


if __name__ == "__main__":
    run()
