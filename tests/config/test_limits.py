from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from snapaudit.model.limits import Limits, Reserve
from tests.config.written import fault, settings


def _limits(folder: Path, written: str) -> Limits:
    return settings(folder, f"version: 1\nlimits: {written}\n").limits


def test_every_limit_is_read(tmp_path: Path) -> None:
    written = "{min_age: 2d, max_actions: 7, max_share: 2.5%, max_bytes: 1TiB, min_free: 20GiB}"
    assert _limits(tmp_path, written) == Limits(
        min_age=timedelta(days=2),
        max_actions=7,
        max_share=0.025,
        max_bytes=2**40,
        min_free=Reserve(bytes=20 * 2**30),
    )


def test_limits_that_are_not_written_keep_their_defaults(tmp_path: Path) -> None:
    assert _limits(tmp_path, "{max_actions: 3}") == Limits(max_actions=3)


def test_reserve_may_be_a_share(tmp_path: Path) -> None:
    assert _limits(tmp_path, "{min_free: 10%}").min_free == Reserve(ratio=0.1)


@pytest.mark.parametrize(
    ("marked", "said"),
    [
        ("{min_age: ▶72}", "expected a quantity with its unit, like 3d or 12h, found 72"),
        ("{min_age: ▶12:30:45}", "'12:30:45' is no duration"),
        ("{max_actions: ▶-1}", "expected a whole number, 0 or more, found -1"),
        ("{max_actions: ▶'3'}", "expected a whole number, 0 or more, found '3'"),
        ("{max_actions: ▶true}", "expected a whole number, 0 or more, found true"),
        ("{max_share: ▶0.05}", "expected a quantity with its unit, like 85%, found 0.05"),
        ("{max_share: ▶101%}", "expected a share of at most 100%, found 101%"),
        ("{max_bytes: ▶500}", "expected a quantity with its unit, like 20GiB or 500MB, found 500"),
        ("{max_bytes: ▶500G}", "'500G' is no size; write a number with B, MB, GB"),
        ("{min_free: ▶10}", "expected a share or a size with its unit, like 10% or 20GiB"),
        ("{min_free: ▶200%}", "expected a share of at most 100%, found 200%"),
        ("{min_free: ▶10 gigabytes}", "'10 gigabytes' is no size"),
        ("{▶max_action: 3}", "unknown key 'max_action'"),
        ("▶", "expected a mapping, found nothing"),
    ],
)
def test_wrong_limit_is_told_at_its_place(tmp_path: Path, marked: str, said: str) -> None:
    # An empty value stands where the scanner stops looking for it: at the end of the key.
    text = f"version: 1\nlimits: {marked}\n".replace(": ▶\n", ":▶\n")
    assert fault(tmp_path, text).startswith(said)
