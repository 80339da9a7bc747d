"""Every input that once broke a promise, run again: what was mended stays mended."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fuzz.finding import FOUND, judged
from tests.fuzz.limits import MOST_SECONDS, measured
from tests.fuzz.target import Target
from tests.fuzz.targets import every_target

_TARGETS = {one.name: one for one in every_target()}
_CASES = sorted(path for path in FOUND.glob("*/*") if path.is_file())


@pytest.mark.parametrize("case", _CASES, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_tst_11_what_was_found_once_ends_well_or_with_an_error_of_ours(case: Path) -> None:
    target, data = _TARGETS[case.parent.name], case.read_bytes()
    target.run(next(iter(target.examples()))) if _is_cold(target) else None
    found = judged(target, data, measured(target.run, data, 2 * MOST_SECONDS))
    assert found is None, f"{found}"


_WARM: set[str] = set()


def _is_cold(target: Target) -> bool:
    """What is loaded once, at the first run, is not this input's cost."""
    is_cold = target.name not in _WARM
    _WARM.add(target.name)
    return is_cold


def test_every_target_has_a_name_of_its_own_and_every_case_a_target() -> None:
    assert len(_TARGETS) == len(every_target())
    assert {case.parent.name for case in _CASES} <= _TARGETS.keys()


@pytest.mark.parametrize("target", _TARGETS.values(), ids=_TARGETS)
def test_the_first_example_of_a_target_ends_well(target: Target) -> None:
    target.run(next(iter(target.examples())))
