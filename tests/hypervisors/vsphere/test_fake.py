"""The fake vCenter itself: asynchronous, faulty, and strict about what may be asked of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from snapaudit.errors import CallRefused, Unreachable
from snapaudit.hypervisors.vsphere.paths import DATASTORE, VIRTUAL_MACHINE
from snapaudit.hypervisors.vsphere.raw import RawManagedBy, RawTree
from tests.builders import GIB
from tests.hypervisors.vsphere.fake import FakeServer, FakeService, Fate, Vm
from tests.hypervisors.vsphere.faketasks import Task, key_of
from tests.hypervisors.vsphere.fakeworld import DISK


def ended(server: FakeServer, moid: str) -> Task:
    server.world.clock.skip(timedelta(hours=1))
    server.settle()
    return server.tasks[moid]


def test_removal_takes_time_and_loses_nothing_that_is_to_stay() -> None:
    server = FakeServer()
    vm = server.world.line("web01", "a", "b", "c", disks=2)
    [a, b, c] = vm.snaps.values()
    before = vm.reads(), vm.reads(a.moid), vm.reads(c.moid)
    service = FakeService(server)
    task = service.remove_snapshot(b.moid)
    assert set(vm.snaps) == {a.moid, b.moid, c.moid}
    told = service.task(task)
    assert told is not None
    assert (told.state, told.progress) == ("running", 0)
    assert ended(server, task).state == "success"
    assert list(vm.snaps) == [a.moid, c.moid]
    assert vm.snaps[c.moid].parent == a.moid
    assert (vm.reads(), vm.reads(a.moid), vm.reads(c.moid)) == before
    assert vm.names() == ["web01.vmdk", "web01-000001.vmdk", "web01-000003.vmdk"]
    server.sound()


def test_removal_that_stops_half_way_leaves_deltas_that_one_consolidation_merges() -> None:
    server = FakeServer()
    vm = server.world.line("web01", "a", "b", disks=2)
    before = vm.reads()
    server.fates.queue = [Fate(fails="FileLocked", after=2)]
    service = FakeService(server)
    task = ended(server, service.remove_snapshot(next(iter(vm.snaps))))
    assert (task.state, task.error) == ("error", "FileLocked")
    assert vm.consolidation_needed
    assert [len(vm.names(key)) for key in vm.chains] == [2, 3]
    assert ended(server, service.consolidate(vm.moid)).state == "success"
    assert [len(vm.names(key)) for key in vm.chains] == [2, 2]
    assert vm.phantoms() == []
    assert vm.reads() == before
    server.sound()


@pytest.mark.parametrize(
    ("fate", "raised", "arrives"),
    [
        (Fate(arrives=False), Unreachable, 0),
        (Fate(answers=False), Unreachable, 1),
        (Fate(late=30), Unreachable, 1),
        (Fate(refused="MethodDisabled"), CallRefused, 0),
    ],
)
def test_call_may_be_lost_late_or_refused(
    fate: Fate, raised: type[Exception], arrives: int
) -> None:
    server = FakeServer()
    vm = server.world.line()
    server.fates.queue = [fate]
    with pytest.raises(raised):
        FakeService(server).remove_snapshot(next(iter(vm.snaps)))
    server.world.clock.skip(timedelta(minutes=5))
    server.settle()
    server.world.clock.skip(timedelta(minutes=5))
    server.settle()
    assert len(vm.snaps) == 1 - arrives


def test_full_datastore_ends_a_merge_and_leaves_the_delta() -> None:
    server = FakeServer()
    vm = server.world.line()
    server.world.stores["ds1"].free = 1
    task = ended(server, FakeService(server).remove_snapshot(next(iter(vm.snaps))))
    assert task.error == "NoDiskSpace"
    assert vm.consolidation_needed


def test_ended_session_is_begun_anew_to_read_and_never_to_change() -> None:
    server = FakeServer(session_over=True)
    vm = server.world.line()
    service = FakeService(server)
    with pytest.raises(CallRefused):
        service.remove_snapshot(next(iter(vm.snaps)))
    service.clock()
    service.remove_snapshot(next(iter(vm.snaps)))
    assert server.counts["login"] == 1


def test_pages_let_a_machine_vanish_in_between() -> None:
    server = FakeServer(page=1)
    for name in ("web01", "web02"):
        server.world.line(name)
    server.between = lambda: server.world.vms.popitem()
    read = FakeService(server).read({VIRTUAL_MACHINE: ("name",)})
    assert [one.values["name"] for one in read] == ["web01"]


def test_hidden_and_denied_are_left_out_and_missing() -> None:
    server = FakeServer()
    vm, other = server.world.line("web01"), server.world.line("web02")
    server.hidden.add(other.moid)
    server.denied[vm.moid, "layoutEx"] = "NoPermission"
    [seen] = FakeService(server).read({VIRTUAL_MACHINE: ("name", "layoutEx", "snapshot")})
    assert seen.missing == {"layoutEx": "NoPermission"}
    assert isinstance(seen.values["snapshot"], RawTree)
    assert seen.values["name"] == "web01"


BAD: dict[str, Callable[[FakeServer, Vm], object]] = {
    "a template": lambda _, vm: setattr(vm, "template", True),
    "not connected": lambda _, vm: setattr(vm, "connection", "disconnected"),
    "suspended": lambda _, vm: setattr(vm, "power", "suspended"),
    "managed by a product": lambda _, vm: setattr(vm, "managed_by", RawManagedBy("k", "t")),
    "a snapshot is at work": lambda _, vm: setattr(vm, "in_background", True),
    "another task runs on it": lambda server, vm: server.work_of_others(vm),
    "two on a datastore": lambda server, _: _removal_elsewhere(server, "host-9", "ds1"),
    "three on a host": lambda server, _: [
        _removal_elsewhere(server, "host-1", f"ds{n}") for n in (2, 3)
    ],
    "five at once": lambda server, _: [
        _removal_elsewhere(server, f"host-{n}", f"ds{n}") for n in (2, 3, 4, 5)
    ],
    "clone stands on it": lambda server, vm: server.world.clone(vm),
    "the tree branches": lambda _, vm: setattr(vm, "current", next(iter(vm.snaps))),
    "need consolidation": lambda _, vm: setattr(vm, "consolidation_needed", True),
    "nobody approved it": lambda server, _: setattr(server.rules, "approved", set()),
    "a second time": lambda server, vm: FakeService(server).remove_snapshot(list(vm.snaps)[1]),
}


def _removal_elsewhere(server: FakeServer, host: str, store: str) -> str:
    other = server.world.line(f"on-{store}", store=store)
    other.host = host
    return FakeService(server).remove_snapshot(next(iter(other.snaps)))


@pytest.mark.parametrize("reason", BAD)
def test_each_thing_that_safety_forbids_is_a_breach(reason: str) -> None:
    server = FakeServer()
    vm = server.world.line("web01", "a", "b")
    BAD[reason](server, vm)
    FakeService(server).remove_snapshot(list(vm.snaps)[1])
    assert any(breach.endswith(reason) for breach in server.rules.breaches)
    with pytest.raises(AssertionError):
        server.sound()


def test_what_was_approved_is_this_snapshot_and_no_other() -> None:
    server = FakeServer()
    vm = server.world.line("web01", "a", "b")
    [a, b] = vm.snaps.values()
    approved = key_of(server.world, vm, b)
    assert key_of(server.world, vm, server.world.recreate(vm, b)) != approved
    assert key_of(server.world, vm, a) != approved
    server.world.uuid = "another"
    assert key_of(server.world, vm, b) != approved


def test_tasks_and_space_are_told_by_leaf_paths() -> None:
    server = FakeServer(estimates={"ds1": GIB})
    vm = server.world.line()
    task = server.work_of_others(vm)
    service = FakeService(server)
    [store] = service.read_of(DATASTORE, ["ds1", "gone"], ("summary.freeSpace", "vm"))
    assert store.values == {"summary.freeSpace": 500 * GIB, "vm": (vm.moid,)}
    assert service.estimate(vm.moid) == {"ds1": GIB}
    told = service.task(task.moid)
    assert told is not None
    assert (told.description_id, told.state) == ("VirtualMachine.createSnapshot", "running")
    assert vm.chains[DISK][-1].is_delta
