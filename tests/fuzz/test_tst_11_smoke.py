"""A short round of every target in each run of the suite; `make fuzz` is the long one."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fuzz.targets import every_target

_SEED, _INPUTS = 11, 80
_GROUPS = sorted({one.group for one in every_target()})


@pytest.mark.parametrize("group", _GROUPS)
def test_tst_11_no_damaged_input_crashes_hangs_or_fills_the_memory(
    group: str, tmp_path: Path
) -> None:
    words = ["-m", "tests.fuzz", group, "--seed", str(_SEED), "--inputs", str(_INPUTS)]
    command = [sys.executable, "-W", "ignore", *words, "--found", str(tmp_path)]
    environment = {**os.environ, "PYTHONHASHSEED": "0"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    again = f"again: PYTHONHASHSEED=0 python {' '.join(words)}"
    assert done.returncode == 0, f"{done.stdout}{done.stderr}\n{again}"
