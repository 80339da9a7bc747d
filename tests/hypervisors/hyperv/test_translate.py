"""A host's rows as the model has them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from snapaudit.hypervisors.hyperv.identity import of_checkpoint
from snapaudit.hypervisors.hyperv.translate import observed
from snapaudit.model.inventory import ByteRange, CoverageState, LayerRole, PowerState
from tests.builders import GIB, NOW, ago
from tests.hypervisors.contract import keeps
from tests.hypervisors.hyperv.hrows import (
    FIXED,
    MIB,
    OFF,
    PAUSED,
    RUNNING,
    SAVED,
    answer,
    checkpoint_row,
    disk_row,
    drive,
    error_row,
    file_row,
    guid,
    host_row,
    line,
    machine_row,
    volume_row,
)
from tests.hypervisors.hyperv.seen import (
    ENDPOINT,
    machine,
    read,
    read_rows,
    reading,
    snapshot,
    words,
)


def test_host_with_everything_keeps_what_every_hypervisor_keeps() -> None:
    rows = [line("web", "s1", "s2"), line("db"), file_row("D:\\VMs\\old_1.avhdx")]
    found = keeps(lambda: read_rows(*rows))
    assert found.coverage.state is CoverageState.COMPLETE
    assert found.manager_id == guid("host HV1")
    assert [host.id for host in found.hosts] == ["hv1"]
    assert len(found.strays) == 1


def test_cluster_with_a_node_that_failed_keeps_it_too() -> None:
    one = answer(line("web", "s1"), host=host_row("N1", cluster="HVC", nodes=("N1", "N2")))
    keeps(lambda: read(one, failed={"n2": "it did not answer"}))


def test_machine_and_checkpoint_are_named_by_their_guids() -> None:
    found = read_rows(line("web", "s1", vm={"id": "{" + guid("web").upper() + "}"}))
    assert machine(found).id == guid("web")
    assert machine(found).current_snapshot_id == guid("web s1") == snapshot(found).id


def test_chain_is_told_base_first_with_each_delta_owed_to_the_checkpoint_below_it() -> None:
    (disk,) = machine(read_rows(line("web", "s1", "s2"))).disks
    assert (disk.label, disk.capacity_bytes) == ("SCSI 0:0", 40 * GIB)
    assert [layer.role for layer in disk.layers] == [
        LayerRole.BASE,
        LayerRole.DELTA,
        LayerRole.DELTA,
    ]
    assert [layer.snapshot_id for layer in disk.layers] == [None, guid("web s1"), guid("web s2")]
    assert {layer.datastore_id for layer in disk.layers} == {"D:\\"}
    assert {layer.format for layer in disk.layers} == {"vhdx"}
    assert {layer.exists for layer in disk.layers} == {True}


def test_checkpoint_tree_is_that_of_the_records() -> None:
    found = machine(read_rows(line("web", "s1", "s2")))
    assert [shot.name for shot in found.snapshots] == ["s1", "s2"]
    assert [shot.parent_id for shot in found.snapshots] == [None, guid("web s1")]


@pytest.mark.parametrize(
    ("state", "power", "memory"),
    [
        (OFF, PowerState.OFF, False),
        (SAVED, PowerState.ON, True),
        (RUNNING, PowerState.ON, True),
        (PAUSED, PowerState.ON, True),
        (None, PowerState.UNKNOWN, None),
        (4711, PowerState.UNKNOWN, None),
    ],
)
def test_memory_of_a_checkpoint_is_told_by_its_state_and_unknown_when_that_is(
    state: int | None, power: PowerState, memory: bool | None
) -> None:
    shot = snapshot(read_rows(line("web", "s1", cp={"state": state})))
    assert (shot.power_state, shot.has_memory) == (power, memory)


@pytest.mark.parametrize(
    ("number", "power"),
    [
        (RUNNING, PowerState.ON),
        (OFF, PowerState.OFF),
        (SAVED, PowerState.SUSPENDED),
        (PAUSED, PowerState.PAUSED),
        (10, PowerState.UNKNOWN),
        (32999, PowerState.UNKNOWN),
    ],
)
def test_state_is_read_by_its_number(number: int, power: PowerState) -> None:
    assert machine(read_rows(line("web", vm={"state": number}))).power_state is power


@pytest.mark.parametrize(
    ("told", "kind"),
    [
        ("Standard", "standard"),
        ("Recovery", "recovery"),
        ("Replica", "replica"),
        ("AppConsistentReplica", "replica"),
        ("SyncedReplica", "replica"),
        ("Planned", "planned"),
        ("Missing", "missing"),
        ("Whatever", "whatever"),
    ],
)
def test_kind_is_the_type_in_the_words_of_the_model(told: str, kind: str) -> None:
    assert snapshot(read_rows(line("web", "s1", cp={"type": told}))).kind == kind


def test_pass_through_disk_has_no_chain_and_is_told() -> None:
    rows = line("web")
    vm = machine_row("web", drive("D:\\VMs\\web.vhdx"), drive(None, 1, disk_number=4))
    found = machine(read_rows(*rows[:-1], vm))
    assert [disk.label for disk in found.disks] == ["SCSI 0:0"]
    assert "pass-through: SCSI 0:1 is disk 4 of its host" in found.traits


def test_empty_drive_is_neither_a_disk_nor_a_pass_through_disk() -> None:
    found = machine(read_rows(machine_row("web", drive(None))))
    assert found.disks == ()
    assert not any("pass-through" in trait for trait in found.traits)


def test_gold_image_below_a_machines_own_disk_is_a_template_and_no_checkpoint() -> None:
    gold, own = "D:\\Gold\\win.vhdx", "D:\\VMs\\web.vhdx"
    rows = [disk_row(gold), disk_row(own, gold), machine_row("web", drive(own))]
    found = machine(read_rows(*rows))
    assert [layer.role for layer in found.disks[0].layers] == [LayerRole.TEMPLATE, LayerRole.BASE]
    assert f"gold-image: SCSI 0:0 stands on {gold}" in found.traits
    assert (found.is_template, found.consolidation_needed) == (False, False)


def test_machine_on_whose_disk_others_stand_is_a_template() -> None:
    gold, clone = "D:\\Gold\\win.vhdx", "D:\\VMs\\web.vhdx"
    rows = [
        disk_row(gold),
        disk_row(clone, gold),
        machine_row("gold", drive(gold)),
        machine_row("web", drive(clone)),
    ]
    found = read_rows(*rows)
    assert machine(found, "gold").is_template
    assert not machine(found, "web").is_template


def test_spelling_of_a_path_is_the_drives_own_wherever_the_links_differ() -> None:
    base, top = "D:\\VMs\\web.vhdx", "D:\\VMs\\web_1.avhdx"
    rows = [
        disk_row(base.upper()),
        disk_row(top, "d:/vms/WEB.VHDX"),
        checkpoint_row("web", "s1", drive(base)),
        machine_row("web", drive(top), parent_checkpoint=guid("web s1")),
    ]
    (disk,) = machine(read_rows(*rows)).disks
    assert [layer.path for layer in disk.layers] == [base, top]
    assert disk.layers[1].snapshot_id == guid("web s1")


# What could not be seen --------------------------------------------------------------------------


def test_error_row_is_a_gap_and_makes_the_view_partial() -> None:
    broken = error_row("cp", None, number=-2147024891, message="Access\r\nis denied.")
    found = read_rows(line("web", "s1"), broken)
    assert found.coverage.state is CoverageState.PARTIAL
    assert [(gap.subject, gap.reason) for gap in found.gaps] == [
        ("cp", "Access is denied. (0x80070005)")
    ]
    assert "unread" in words(machine(found).protections)


def test_nothing_visible_is_suspicious() -> None:
    found = read(answer())
    assert found.coverage.state is CoverageState.SUSPICIOUS
    assert found.coverage.reason is not None
    assert "Hyper-V Administrators" in found.coverage.reason


def test_checkpoint_of_a_machine_that_nobody_lists_is_a_gap() -> None:
    found = read_rows(line("db"), checkpoint_row("web", "s1", drive("D:\\VMs\\web.vhdx")))
    assert [gap.subject for gap in found.gaps] == ["checkpoint s1"]
    assert found.coverage.state is CoverageState.PARTIAL


def test_inv_07_chain_that_ends_too_early_is_a_gap_and_sizes_are_unknown() -> None:
    top = "D:\\VMs\\web_1.avhdx"
    rows = [
        checkpoint_row("web", "s1", drive("D:\\VMs\\web.vhdx")),
        machine_row("web", drive(top), parent_checkpoint=guid("web s1")),
    ]
    found = read_rows(*rows)
    assert found.coverage.state is CoverageState.PARTIAL
    assert any("could not be read" in gap.reason for gap in found.gaps)
    assert snapshot(found).size_bytes is None
    assert snapshot(found).reclaimable_bytes.max is None
    assert machine(found).consolidation_needed is None


@pytest.mark.parametrize(
    ("path", "kind"), [("D:\\a.avhdx", 4), ("D:\\a.avhdx", None), ("D:\\a.vhdx", 4)]
)
def test_inv_07_differencing_disk_that_names_no_parent_was_not_read(
    path: str, kind: int | None
) -> None:
    shot = checkpoint_row("web", "s1")
    found = read_rows(disk_row(path, None, type=kind), shot, machine_row("web", drive(path)))
    assert "unknown-chain" in words(machine(found).protections)
    assert found.coverage.state is CoverageState.PARTIAL


def test_links_in_a_circle_are_cut_and_told() -> None:
    one, two = "D:\\VMs\\web_1.avhdx", "D:\\VMs\\web_2.avhdx"
    found = read_rows(disk_row(one, two), disk_row(two, one), machine_row("web", drive(one)))
    assert "unknown-chain" in words(machine(found).protections)
    assert any("stands on itself" in gap.reason for gap in found.gaps)


def test_file_that_is_gone_is_a_finding_and_no_gap_of_its_own() -> None:
    rows = line("web", "s1")
    lost = error_row("disk", "D:\\VMs\\web.vhdx", number=0x80070002)
    found = read_rows(*rows[1:], lost)
    assert [layer.exists for layer in machine(found).disks[0].layers] == [False, True]
    assert "broken-chain" in words(machine(found).protections)
    assert len(found.gaps) == 1


def test_two_nodes_that_name_different_parents_are_believed_neither() -> None:
    rows = line("web", "s1", folder="C:\\ClusterStorage\\Volume1")
    top = "C:\\ClusterStorage\\Volume1\\web_" + guid("web s1") + ".avhdx"
    other = answer(
        disk_row(top, "C:\\ClusterStorage\\Volume1\\else.vhdx"), host=host_row("HV2", cluster="c")
    )
    found = read(answer(*rows, host=host_row("HV1", cluster="c")), other)
    assert "unknown-chain" in words(machine(found).protections)
    assert snapshot(found).size_bytes is None


def test_without_disk_files_sizes_are_unknown_and_that_is_said_once() -> None:
    rows = [row for row in line("web", "s1") if not hasattr(row, "file_bytes")]
    found = read_rows(*rows, has_disks=False)
    assert found.coverage.state is CoverageState.COMPLETE
    assert snapshot(found).size_bytes is None
    assert "unknown-chain" in words(machine(found).protections)
    assert any("sizes: false" in spot for spot in found.blind_spots)


def test_machine_without_checkpoints_explains_no_automatic_file_even_unread() -> None:
    found = machine(read_rows(machine_row("web", drive("D:\\VMs\\web_1.avhdx"))))
    assert [layer.role for layer in found.disks[0].layers] == [LayerRole.PHANTOM]
    assert found.consolidation_needed is True


def test_unlisted_current_checkpoint_leaves_no_delta_without_an_explanation() -> None:
    """Its held file is unknown: the live delta may well be that checkpoint's."""
    rows = [row for row in line("web", "s1") if not hasattr(row, "system_bytes")]
    found = machine(read_rows(*rows))
    assert found.disks[0].layers[1].role is LayerRole.DELTA
    assert (found.consolidation_needed, found.current_snapshot_id) == (None, None)
    assert "unread" in words(found.protections)


# One machine for the hand that acts --------------------------------------------------------------


def test_observed_machine_stands_alone_and_is_judged_by_all_that_was_read() -> None:
    clone = "D:\\Clones\\c.vhdx"
    seen = reading(
        answer(
            line("web", "s1"),
            disk_row(clone, "D:\\VMs\\web.vhdx"),
            machine_row("clone", drive(clone)),
            file_row("D:\\VMs\\old.avhdx"),
        )
    )
    found = observed(seen, guid("web").upper(), endpoint=ENDPOINT, collected_at=NOW)
    assert [vm.name for vm in found.virtual_machines] == ["web"]
    assert "gold-image" in words(snapshot(found).protections)
    assert found.strays == ()
    assert found.coverage.state is CoverageState.COMPLETE


def test_observed_machine_that_is_gone_is_not_there() -> None:
    seen = reading(answer(line("db")))
    found = observed(seen, guid("web"), endpoint=ENDPOINT, collected_at=NOW)
    assert found.virtual_machines == ()
    assert found.coverage.state is CoverageState.COMPLETE


def test_after_a_merge_the_chains_are_those_before_less_the_merged_file() -> None:
    """What the last look compares: paths by slot, wherever a later checkpoint holds files now."""
    before = machine(read_rows(line("web", "s1", "s2")))
    base = "D:\\VMs\\web.vhdx"
    top = before.disks[0].layers[2].path
    after = machine(
        read_rows(
            disk_row(base),
            disk_row(top, base),
            checkpoint_row("web", "s2", drive(base), parent=None, age="10d"),
            machine_row("web", drive(top), parent_checkpoint=guid("web s2")),
        )
    )
    merged = {item.path for item in before.disks[0].layers if item.snapshot_id == guid("web s1")}
    assert [item.path for item in after.disks[0].layers] == [
        item.path for item in before.disks[0].layers if item.path not in merged
    ]
    assert after.snapshots[0].identity == before.snapshots[1].identity


def test_grd_01_each_thing_that_makes_another_checkpoint_makes_another_identity() -> None:
    row = checkpoint_row("web", "s1", drive("D:\\a.vhdx"))
    others = [
        replace(row, id=guid("other")),
        replace(row, machine=guid("db")),
        replace(row, type="Recovery"),
        replace(row, created_at=ago("8d")),
        replace(row, drives=(drive("D:\\a.vhdx"), drive("D:\\b.vhdx", 1))),
    ]
    assert len({of_checkpoint(one) for one in (row, *others)}) == len(others) + 1


def test_identity_stays_when_the_platform_rewrites_what_a_checkpoint_holds() -> None:
    row = checkpoint_row("web", "s2", drive("D:\\a_1.avhdx"), parent=guid("web s1"))
    rewritten = replace(row, parent=None, drives=(drive("D:\\a.vhdx"),), system_bytes=7 * MIB)
    assert of_checkpoint(row) == of_checkpoint(rewritten)


def test_fixed_base_gives_back_exactly_what_is_merged_into_it() -> None:
    found = snapshot(read_rows(line("web", "s1", base={"type": FIXED, "file_bytes": 40 * GIB})))
    assert found.reclaimable_bytes == ByteRange(
        min=GIB + MIB,
        max=GIB + MIB,
        basis="one file is merged into a fixed disk; configuration and saved memory",
    )
    assert found.pinned_bytes == GIB + MIB


def test_volumes_without_disks_are_left_out() -> None:
    found = read_rows(line("web"), volume_row("C:\\"), volume_row("D:\\"))
    assert [store.id for store in found.datastores] == ["D:\\"]
