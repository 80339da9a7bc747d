"""Fleets that are written down, and what the simulator makes of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.beds.simulator import Simulator
from tests.beds.vclients import session, values
from tests.beds.vmodels import GIB, TIB, Disk, Fleet, many

pytestmark = pytest.mark.bed


def _estate() -> Fleet:
    fleet = Fleet()
    fleet.host("esx9.example.org", cluster="lab")
    fleet.datastore("fast", capacity=2 * TIB, free=TIB)
    fleet.machine("web", Disk(capacity=100 * GIB, used=30 * GIB), Disk(), host="esx9.example.org",
                  datastore="fast", folder="prod/web")  # fmt: skip
    fleet.snapshot("web", "VEEAM BACKUP TEMPORARY SNAPSHOT", age=timedelta(days=9), memory=4 * GIB)
    fleet.snapshot("web", "a%2fb", at=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))
    fleet.machine("golden", template=True)
    fleet.put("golden", "config.annotation", "keep")
    fleet.machine("broken")
    fleet.snapshot("broken", "gone")
    fleet.left_behind("broken", "gone")
    return fleet


def test_fleet_is_there_as_it_was_written(tmp_path: Path) -> None:
    played = _estate().write(tmp_path / "fleet")
    paths = ("name", "snapshot", "config.template", "runtime.consolidationNeeded", "layoutEx")
    with Simulator(play=played) as simulator, session(simulator) as content:
        machines = {one["name"]: one for one in values(content, *paths).values()}
        stores = values(content, "name", "summary.freeSpace", kind="Datastore").values()
    web = machines["web"]["snapshot"].rootSnapshotList[0]
    assert web.name == "VEEAM BACKUP TEMPORARY SNAPSHOT"
    assert timedelta(days=9) <= datetime.now(UTC) - web.createTime < timedelta(days=9, hours=1)
    assert web.childSnapshotList[0].createTime == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert machines["golden"]["config.template"] is True
    assert machines["broken"]["runtime.consolidationNeeded"] is True
    assert "snapshot" not in machines["broken"]
    assert [len(one.chain) for one in machines["broken"]["layoutEx"].disk] == [2]
    free = {one["name"]: one["summary.freeSpace"] for one in stores}["fast"]
    taken = (30 + 20) * GIB + 2 * 2 * GIB + 4 * GIB
    assert TIB - taken - GIB < free <= TIB - taken


def test_fleet_of_many_has_them_all(tmp_path: Path) -> None:
    played = many(300, snapshots=2, datastores=("one", "two")).write(tmp_path / "fleet")
    with Simulator(play=played, datastores=0) as simulator, session(simulator) as content:
        machines = values(content, "name", "snapshot", "parent").values()
        stores = values(content, "vm", kind="Datastore").values()
    assert len(machines) == 300
    assert {len(one["snapshot"].rootSnapshotList[0].childSnapshotList) for one in machines} == {1}
    assert len({one["parent"]._moId for one in machines}) == 20
    assert [len(one["vm"]) for one in stores] == [150, 150]


def test_order_in_a_file_that_cannot_be_carried_out_is_named(tmp_path: Path) -> None:
    fleet = Fleet()
    fleet.machine("web")
    fleet.snapshot("nobody", "x")
    played = fleet.write(tmp_path / "fleet")
    with pytest.raises(RuntimeError, match='line 2: no machine "nobody"'), Simulator(play=played):
        pass
