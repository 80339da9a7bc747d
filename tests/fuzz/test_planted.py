"""The fuzzer finds what was put there to be found, and is the same each time."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from snapaudit.errors import UsageError
from tests.fuzz.engine import Report, Round, Stop
from tests.fuzz.finding import Finding, Kind, smallest
from tests.fuzz.isolated import fuzzed
from tests.fuzz.limits import MOST_BYTES
from tests.fuzz.target import Form, Target
from tests.fuzz.targets.written import TARGETS as WRITTEN

_HOLDS = next(one for one in WRITTEN if one.name == "holds")
_EXAMPLE = b'{"name": "web01", "size": 17, "parts": [{"id": 1}, {"id": 2}]}'


def _target(run: Callable[[bytes], object], *examples: bytes) -> Target:
    made: Iterable[bytes] = examples or (_EXAMPLE,)
    return Target(name="planted", group="planted", run=run, examples=lambda: made, form=Form.JSON)


def _found(run: Callable[[bytes], object], inputs: int = 300) -> list[Finding]:
    return Round(_target(run), 1).go(Stop(inputs=inputs)).findings


def _parsed(data: bytes) -> dict[str, object]:
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise UsageError("no JSON object")
    return found


def test_tst_11_a_planted_crash_is_found_once_and_made_small() -> None:
    [found] = _found(lambda data: _parsed(data)["size"])
    assert found.kind is Kind.CRASH
    assert "KeyError" in found.where
    assert len(found.data) < len(_EXAMPLE) // 2


def test_tst_11_a_planted_slow_input_is_stopped_and_found() -> None:
    def run(data: bytes) -> None:
        while len(_parsed(data)) < 3:
            pass

    [found] = Round(_target(run), 1, most=0.1).go(Stop(inputs=300)).findings
    assert found.kind is Kind.SLOW


def test_tst_11_a_planted_hungry_input_is_found_though_it_gives_everything_back() -> None:
    def run(data: bytes) -> None:
        if len(_parsed(data)) < 3:
            bytearray(b"x") * (MOST_BYTES + 2**24)

    [found] = _found(run)
    assert found.kind is Kind.HUNGRY


def test_tst_11_an_error_of_ours_and_a_good_end_are_no_findings() -> None:
    assert _found(_parsed) == []


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_tst_11_a_planted_death_of_the_process_is_found_with_its_input() -> None:
    def run(data: bytes) -> None:
        if "size" not in _parsed(data):
            os.kill(os.getpid(), signal.SIGKILL)

    [found] = fuzzed(_target(run), 1, Stop(inputs=300)).findings
    assert (found.kind, found.where) == (Kind.DIED, "SIGKILL")
    assert "size" not in json.loads(found.data)


def _round(seed: int) -> tuple[list[bytes], Report]:
    tried: list[bytes] = []
    return tried, Round(_HOLDS, seed, tried.append).go(Stop(inputs=60))


def test_the_same_seed_tries_the_same_inputs_and_another_seed_others() -> None:
    assert _round(1)[0] == _round(1)[0] != _round(2)[0]


def test_what_reaches_a_new_line_is_changed_again() -> None:
    tried, report = _round(1)
    assert report.corpus > len(list(_HOLDS.examples()))
    assert len(tried) == 60


def test_a_finding_is_kept_as_a_file_of_its_bytes(tmp_path: Path) -> None:
    [found] = _found(lambda data: _parsed(data)["size"])
    assert found.save(tmp_path).read_bytes() == found.data


def test_an_input_is_made_small_by_what_is_needed_alone() -> None:
    assert smallest(b"many bytes, of which [ and ] matter", lambda data: b"[" in data) == b"["
