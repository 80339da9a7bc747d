"""Run the safety tests against every mutant; each has to fail them (``make mutants``).

Arguments are words: only the mutants whose line holds one of them are run.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tests.mutants.mutant import ROOT, Mutant
from tests.mutants.table import MUTANTS

SECONDS = 60
SECONDS_UNMUTATED = 300
AT_ONCE = 2
_COPIED = ("snapaudit", "tests", "rules", "pyproject.toml")
# The searching tests come last: most mutants are dead before.
_LAST = ("test_tst_15", "test_tst_07", "test_tst_14", "test_tst_08", "test_tst_03", "test_tst_01")
_MODEL = {"SNAPAUDIT_MODEL_STEPS": "3000", "SNAPAUDIT_MODEL_SEED": "7"}


@dataclass(frozen=True, slots=True)
class Verdict:
    """``killer`` is the first test that failed, None when all passed in time."""

    mutant: Mutant | None
    killer: str | None
    seconds: float
    trouble: str | None = None


def main(words: Sequence[str]) -> int:
    """0 when all are dead. Prints a line for each, in the order of the table.

    First the tests have to pass without a mutant: otherwise everything would seem to be dead.
    """
    chosen = [m for m in MUTANTS if not words or any(word in _line(m) for word in words)]
    with tempfile.TemporaryDirectory(prefix="unmutated-") as name:
        _copy(ROOT, Path(name))
        sound = _judge(Path(name), None)
        if sound.killer is not None or sound.trouble is not None:
            print(f"without any mutant: {sound.killer or sound.trouble}")
            return 1
        alive = _survivors(Path(name), chosen)
    print(f"{len(chosen)} mutants, {alive} survive")
    return 1 if alive or not chosen else 0


def _survivors(checkout: Path, chosen: Sequence[Mutant]) -> int:
    """The number of those that live. Prints each as soon as it is judged."""
    alive = 0
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for verdict in pool.map(partial(_judge, checkout), chosen):
            alive += verdict.killer is None
            print(_row(verdict), flush=True)
    return alive


def _line(mutant: Mutant | None) -> str:
    return f"{mutant.file}: {mutant.takes_away}" if mutant else ""


def _row(verdict: Verdict) -> str:
    end = verdict.killer or f"SURVIVES {verdict.trouble or ''}"
    return f"{verdict.seconds:5.1f} s  {_line(verdict.mutant):<86}  {end}"


def _judge(checkout: Path, mutant: Mutant | None) -> Verdict:
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="mutant-") as name:
        folder = Path(name)
        _copy(checkout, folder)
        try:
            if mutant is not None:
                _apply(mutant, folder)
            killer, trouble = _tests(folder, SECONDS if mutant else SECONDS_UNMUTATED)
        except (ValueError, SyntaxError) as error:
            killer, trouble = None, str(error)
    return Verdict(mutant, killer, time.monotonic() - began, trouble)


def _apply(mutant: Mutant, folder: Path) -> None:
    text = mutant.applied_to((folder / mutant.path).read_text("utf-8"))
    compile(text, mutant.file, "exec")
    (folder / mutant.path).write_text(text, "utf-8")


def _copy(checkout: Path, folder: Path) -> None:
    for name in _COPIED:
        source = checkout / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(source, folder / name)


def _tests(folder: Path, seconds: int) -> tuple[str | None, str | None]:
    """The first test that fails; what came of the run otherwise."""
    environment = {**os.environ, **_MODEL, "PYTHONPATH": str(folder), "PYTHONHASHSEED": "0"}
    environment["PYTHONDONTWRITEBYTECODE"] = "1"
    where = [sys.executable, "-c", "import snapaudit; print(snapaudit.__file__)"]
    imported = subprocess.run(where, cwd=folder, env=environment, capture_output=True, text=True)
    if not imported.stdout.startswith(str(folder)):
        return None, f"not the mutant was tested but {imported.stdout or imported.stderr}"
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-x",
        "-m",
        "not bed",
        "-p",
        "no:cacheprovider",
    ]
    try:
        done = subprocess.run(
            [*command, *_files(folder)],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=seconds,
        )
    except subprocess.TimeoutExpired:
        return None, f"not dead after {seconds} s"
    if done.returncode == 0:
        return None, None
    return _first_failure(done.stdout), f"pytest ended with {done.returncode}: {done.stdout[-300:]}"


def _files(folder: Path) -> list[str]:
    found = sorted((folder / "tests" / "enforce").glob("test_*.py"), key=_turn)
    return [str(path.relative_to(folder)) for path in found if path.name != "test_fake.py"]


def _turn(path: Path) -> tuple[int, str]:
    late = [number for number, name in enumerate(_LAST, 1) if path.name.startswith(name)]
    return (late[0] if late else 0, path.name)


def _first_failure(output: str) -> str | None:
    for line in output.splitlines():
        if line.startswith("FAILED "):
            return line.removeprefix("FAILED ").split(" - ")[0]
    return None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
