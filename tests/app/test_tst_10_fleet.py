"""TST-10 in small: a fleet of four kinds over their protocols, of which some say nothing.

Its full size, with time and memory, is measured by ``make bench`` (`tests/bench/fleet.py`).
"""

from __future__ import annotations

from pathlib import Path

from tests.bench import fleet

MACHINES, ENDPOINTS, DEADLINE = 3, 20, 20


def test_tst_10_grd_27_exactly_the_hung_endpoints_are_missing_and_the_view_is_incomplete(
    tmp_path: Path,
) -> None:
    with fleet.beds(tmp_path, MACHINES) as lines, fleet.hanging() as port:
        config = fleet.configuration(tmp_path, lines, port, ENDPOINTS, DEADLINE)
        took = fleet.command("audit", "-c", str(config), "--no-record")
    assert took.code == 3
    assert took.named("missing") == ["hung-00-0", "hung-00-1"]
    read = [one for one in took.coverage if one["state"] != "missing"]
    assert len(read) == ENDPOINTS - 2
    assert {(one["virtual_machines"], one["snapshots"]) for one in read} == {(3, 12)}
    assert not took.named("suspicious")
