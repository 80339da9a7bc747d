"""A state folder of its own for each test."""

from __future__ import annotations

from pathlib import Path

import pytest

from snapaudit.enforce.state import State, prepare


@pytest.fixture
def state(tmp_path: Path) -> State:
    made = State(tmp_path / "state")
    prepare(made)
    return made
