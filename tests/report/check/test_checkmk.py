"""Local checks, by the grammar that Checkmk documents."""

from __future__ import annotations

import re

import pytest

from snapaudit.model.check import Checked, Status
from snapaudit.report.check.formats import render_check
from tests.report.check.audits import NAMES, complete, example, hostile, large

# State, name in quotes, metrics or a dash, text: one space between them.
_METRIC = r"[A-Za-z_][A-Za-z0-9_]*=[0-9.;:]+"
_LINE = re.compile(rf'([0123]) "([^"\\|;]+)" (-|{_METRIC}(?:\|{_METRIC})*) (\S.*)')


def services(result: Checked) -> dict[str, tuple[int, str, str]]:
    found = {}
    for line in render_check(result, "checkmk").decode().splitlines():
        match = _LINE.fullmatch(line)
        assert match is not None, line
        assert line.isprintable()
        assert match[2] not in found
        found[match[2]] = (int(match[1]), match[3], match[4])
    return found


@pytest.mark.parametrize("result", [example(), complete(), large()], ids=["ex", "ok", "large"])
def test_each_line_is_a_local_check(result: Checked) -> None:
    assert services(result)["snapaudit"][0] == result.check.exit_code


def test_hostile_names_make_one_service_each() -> None:
    found = services(hostile())
    assert sum(name.startswith("snapaudit endpoint ") for name in found) == 2 * len(NAMES)
    assert sum(name.startswith("snapaudit datastore ") for name in found) == len(NAMES)


def test_an_endpoint_that_was_not_seen_is_unknown_and_has_no_numbers_of_things() -> None:
    state, metrics, text = services(example())["snapaudit endpoint hv1"]
    assert state == Status.UNKNOWN.exit_code
    assert "snapshots=" not in metrics
    assert "hv1 is missing: nothing answered" in text


def test_one_endpoint_in_trouble_leaves_the_others_as_they_are() -> None:
    found = services(example())
    assert found["snapaudit endpoint kvm1"][0] == Status.CRITICAL.exit_code
    assert found["snapaudit endpoint hv1"][0] == Status.UNKNOWN.exit_code


def test_long_text_is_counted_not_cut() -> None:
    text = services(large())["snapaudit"][2]
    assert re.search(r"\\nand [0-9,]+ more lines$", text)
