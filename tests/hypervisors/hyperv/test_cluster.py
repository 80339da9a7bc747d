"""Nodes as one endpoint: each machine once, with what its node told."""

from __future__ import annotations

from dataclasses import replace

from snapaudit.hypervisors.hyperv.cluster import machines, plain
from snapaudit.model.inventory import CoverageState
from tests.hypervisors.hyperv.hrows import (
    OFF,
    RUNNING,
    answer,
    checkpoint_row,
    drive,
    guid,
    host_row,
    line,
    machine_row,
)
from tests.hypervisors.hyperv.seen import machine, read, reading

CSV = "C:\\ClusterStorage\\Volume1"


def test_each_machine_belongs_to_the_node_that_lists_it() -> None:
    one = answer(line("web", "s1", folder=CSV), host=host_row("N1", cluster="HVC"))
    two = answer(line("db", folder=CSV), host=host_row("N2", cluster="HVC"))
    found = read(one, two)
    assert (machine(found).host_id, machine(found, "db").host_id) == ("n1", "n2")
    assert found.manager_id == "hvc"
    assert {host.cluster for host in found.hosts} == {"HVC"}


def test_machine_on_the_move_is_one_machine_and_the_running_side_is_believed() -> None:
    source = machine_row("web", drive(f"{CSV}\\web.vhdx"), state=OFF)
    target = replace(source, state=RUNNING)
    for sides in ((source, target), (target, source)):
        nodes = [
            answer(row, host=host_row(name, cluster="c"))
            for name, row in zip(("N1", "N2"), sides, strict=True)
        ]
        (found,) = machines(reading(*nodes))
        assert found.row.state == RUNNING
        assert found.nodes == ("n1", "n2")
        assert found.node == ("n2" if sides[1] is target else "n1")


def test_checkpoints_of_both_sides_are_joined() -> None:
    vm = machine_row("web", drive(f"{CSV}\\web.vhdx"))
    cps = [checkpoint_row("web", name, drive(f"{CSV}\\web.vhdx")) for name in ("s1", "s2")]
    nodes = [
        answer(vm, cps[0], host=host_row("N1", cluster="c")),
        answer(vm, *cps, host=host_row("N2", cluster="c")),
    ]
    (found,) = machines(reading(*nodes))
    assert sorted(cp.name for cp in found.checkpoints) == ["s1", "s2"]


def test_i3_two_machines_of_one_id_on_one_host_are_left_alone() -> None:
    vm = machine_row("web", drive("D:\\VMs\\a.vhdx"))
    found = read(answer(vm, replace(vm, name="copy")))
    (one,) = found.virtual_machines
    assert one.busy is True
    assert any("more than once" in reason for reason in one.protections)


def test_c1_node_that_failed_is_named_and_the_view_is_partial() -> None:
    one = answer(line("web", "s1", folder=CSV), host=host_row("N1", cluster="c"))
    found = read(one, failed={"n2": "nothing answered at n2:5986"})
    assert found.coverage.state is CoverageState.PARTIAL
    assert found.coverage.reason == "node n2: nothing answered at n2:5986"
    assert [vm.name for vm in found.virtual_machines] == ["web"]


def test_same_local_path_on_two_nodes_is_two_disks() -> None:
    nodes = [
        answer(line(name, "s1", folder="D:\\VMs\\same"), host=host_row(name, cluster="c"))
        for name in ("N1", "N2")
    ]
    found = read(*nodes)
    assert found.gaps == ()
    assert all(vm.protections == () for vm in found.virtual_machines)


def test_host_alone_is_named_by_its_hardware_else_by_its_name() -> None:
    assert read(answer(line("web"))).manager_id == guid("host HV1")
    nameless = answer(line("web"), host=host_row("HV1", uuid=None))
    assert read(nameless).manager_id == "hv1"


def test_cluster_is_named_by_its_id_where_that_is_told() -> None:
    host = host_row("N1", cluster="HVC", cluster_id=guid("HVC").upper())
    assert read(answer(line("web", folder=CSV), host=host)).manager_id == guid("HVC")


def test_guid_is_read_with_and_without_braces_and_zeros_are_none() -> None:
    assert plain("{ABCDEF01-2345-6789-abcd-EF0123456789}") == "abcdef01-2345-6789-abcd-ef0123456789"
    assert plain("00000000-0000-0000-0000-000000000000") is None
    assert plain("") is None
    assert plain(None) is None
