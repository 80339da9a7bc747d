"""Large records written a piece at a time are the same bytes as written in one go."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from pydantic import TypeAdapter

from snapaudit.codec.documents import to_bytes
from snapaudit.codec.writing import is_piecemeal
from snapaudit.model.finding import Audit
from snapaudit.rules.engine import audit
from snapaudit.rules.loader import load_policy
from tests.builders import NOW, inventory, snapshot, vm


def judged(machines: int) -> Audit:
    shots = (snapshot("one\ntwo  [\u2028]", age="90d"), snapshot("}\n{", age="40d"))
    fleet = inventory(*(vm(f"vm\n{number}", *shots) for number in range(machines)))
    return audit((fleet,), load_policy((), disable={}, levels={}, environments=()), NOW)


def in_one_go(record: Any) -> bytes:
    return TypeAdapter(type(record)).dump_json(record, indent=2) + b"\n"


@pytest.mark.parametrize("machines", [0, 1, 49, 50, 51, 120])
def test_pieces_join_to_the_same_bytes(machines: int) -> None:
    record = judged(machines)
    assert to_bytes(record) == in_one_go(record)


def test_empty_lists_beside_long_ones_stay_as_they_are() -> None:
    record = replace(judged(60), undetermined=(), coverage=())
    assert is_piecemeal(record)
    assert to_bytes(record) == in_one_go(record)
