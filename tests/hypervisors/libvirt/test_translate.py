from __future__ import annotations

from typing import Any

from snapaudit.hypervisors.libvirt.files import Files, UnreachableFiles
from snapaudit.hypervisors.libvirt.raw import RawHost
from snapaudit.hypervisors.libvirt.translate import inventory
from snapaudit.model.endpoint import Endpoint
from snapaudit.model.inventory import (
    CoverageState,
    Inventory,
    LayerRole,
    PowerState,
    Snapshot,
    StrayKind,
    VirtualMachine,
)
from tests.builders import NOW
from tests.hypervisors.libvirt.raws import (
    disk_xml,
    domain_xml,
    raw_domain,
    raw_host,
    raw_pool,
    snapshot_xml,
    volume_xml,
)

REMOTE = UnreachableFiles("they are files of another machine")


def read(raw: RawHost, files: Files = REMOTE) -> Inventory:
    endpoint = Endpoint(name="kvm1", kind="libvirt", url="qemu+tls://kvm1/system")
    return inventory(
        raw, files, endpoint=endpoint, collected_at=NOW, is_local=False, is_verified=True
    )


def machine(found: Inventory, name: str = "web") -> VirtualMachine:
    return next(vm for vm in found.virtual_machines if vm.name == name)


def layers(found: Inventory, name: str = "web") -> list[tuple[str, LayerRole]]:
    return [(layer.path, layer.role) for layer in machine(found, name).disks[0].layers]


def only_snapshot(found: Inventory, name: str = "web") -> Snapshot:
    (snapshot,) = machine(found, name).snapshots
    return snapshot


def words(protections: tuple[str, ...]) -> set[str]:
    return {text.partition(":")[0] for text in protections}


def running_with_overlay(**changes: Any) -> Any:
    return raw_domain(
        "web",
        disk_xml("/vm/web.s1", "/vm/web.qcow2"),
        running=True,
        snapshots=[snapshot_xml("s1", state="disk-snapshot", overlays={"vda": "/vm/web.s1"})],
        **changes,
    )


def blocks(*figures: tuple[str, dict[str, int]]) -> dict[str, int | str]:
    found: dict[str, int | str] = {"block.count": len(figures)}
    for number, (path, values) in enumerate(figures):
        found[f"block.{number}.path"] = path
        found |= {f"block.{number}.{key}": value for key, value in values.items()}
    return found


# Sizes -------------------------------------------------------------------------------------------


def test_used_bytes_are_physical_while_it_runs_and_allocation_while_it_is_off() -> None:
    figures = {"physical": 700, "allocation": 300, "capacity": 5000}
    for running, used in ((True, 700), (False, 300)):
        domain = raw_domain("web", disk_xml("/vm/web.qcow2"), running=running)
        domain["blocks"] = blocks(("/vm/web.qcow2", figures))
        (layer,) = machine(read(raw_host(domain))).disks[0].layers
        assert layer.size_bytes == used


def test_figures_that_are_missing_stay_unknown_and_are_never_zero() -> None:
    domain = raw_domain("web", disk_xml("/vm/web.qcow2"), running=True)
    domain["blocks"] = blocks(("/vm/web.qcow2", {}))
    (layer,) = machine(read(raw_host(domain))).disks[0].layers
    assert (layer.size_bytes, layer.exists) == (None, None)


def test_external_snapshot_gives_back_between_nothing_and_its_overlay_without_the_images() -> None:
    volumes = [
        volume_xml("/vm/web.s1", used=900, backing="/vm/web.qcow2"),
        volume_xml("/vm/web.qcow2", used=9_500, capacity=10_000),
    ]
    found = read(raw_host(running_with_overlay(), pools=[raw_pool(*volumes)]))
    snapshot = only_snapshot(found)
    assert (snapshot.kind, snapshot.size_bytes) == ("external", 900)
    assert (snapshot.reclaimable_bytes.min, snapshot.reclaimable_bytes.max) == (400, 900)
    assert snapshot.pinned_bytes is None


def test_memory_file_counts_in_the_size_and_libvirt_9_0_leaves_it_behind() -> None:
    for version, least in ((9_000_000, 0), (9_001_000, 500)):
        text = snapshot_xml(
            "s1",
            state="running",
            overlays={"vda": "/vm/web.s1"},
            memory="external",
            memory_file="/vm/web.mem",
        )
        domain = raw_domain(
            "web", disk_xml("/vm/web.s1", "/vm/web.qcow2"), running=True, snapshots=[text]
        )
        volumes = [
            volume_xml("/vm/web.s1", used=100, backing="/vm/web.qcow2"),
            volume_xml("/vm/web.qcow2", used=0, capacity=10_000),
            volume_xml("/vm/web.mem", used=500, image="raw"),
        ]
        snapshot = only_snapshot(
            read(raw_host(domain, pools=[raw_pool(*volumes)], library_version=version))
        )
        assert (snapshot.size_bytes, snapshot.has_memory) == (600, True)
        assert snapshot.reclaimable_bytes.min == least
        assert snapshot.reclaimable_bytes.max == 600


def test_internal_snapshot_without_the_image_is_of_unknown_size_with_the_reason() -> None:
    domain = raw_domain(
        "web", disk_xml("/vm/web.qcow2"), snapshots=[snapshot_xml("s1", internal=["vda"])]
    )
    found = read(raw_host(domain))
    snapshot = only_snapshot(found)
    assert snapshot.size_bytes is None
    assert snapshot.reclaimable_bytes.max is None
    assert "another machine" in snapshot.reclaimable_bytes.basis
    assert any("another machine" in spot for spot in found.blind_spots)


# Chains ------------------------------------------------------------------------------------------


def test_chain_of_a_machine_that_is_off_is_stitched_from_volumes() -> None:
    domain = raw_domain("web", disk_xml("/vm/web.s1", complete=False))
    volumes = [volume_xml("/vm/web.s1", backing="web.qcow2"), volume_xml("/vm/web.qcow2")]
    found = read(raw_host(domain, pools=[raw_pool(*volumes)]))
    assert [path for path, _ in layers(found)] == ["/vm/web.qcow2", "/vm/web.s1"]
    assert found.coverage.state is CoverageState.COMPLETE


def test_raw_image_is_a_base_by_nature() -> None:
    disk = disk_xml("/vm/web.raw", complete=False).replace("qcow2", "raw")
    found = read(raw_host(raw_domain("web", disk)))
    assert layers(found) == [("/vm/web.raw", LayerRole.BASE)]
    assert found.coverage.state is CoverageState.COMPLETE


def test_volume_outranks_the_chain_recorded_when_a_machine_last_ran() -> None:
    domain = raw_domain("web", disk_xml("/vm/web.s1", "/vm/old.qcow2"))
    volumes = [volume_xml("/vm/web.s1", backing="/vm/new.qcow2"), volume_xml("/vm/new.qcow2")]
    found = read(raw_host(domain, pools=[raw_pool(*volumes)]))
    assert [path for path, _ in layers(found)] == ["/vm/new.qcow2", "/vm/web.s1"]


def test_child_that_stands_elsewhere_by_now_excuses_no_phantom() -> None:
    web = raw_domain("web", disk_xml("/vm/web.bak", "/vm/web.qcow2"), running=True)
    other = raw_domain("other", disk_xml("/vm/other.qcow2", "/vm/base.qcow2"), running=True)
    old = volume_xml("/vm/other.qcow2", backing="/vm/web.qcow2")
    found = read(raw_host(web, other, pools=[raw_pool(old)]))
    assert layers(found)[1] == ("/vm/web.bak", LayerRole.PHANTOM)


def test_external_part_without_a_file_is_of_unknown_size_and_not_of_none() -> None:
    text = snapshot_xml("s1", overlays={"vda": "/vm/web.s1"})
    text = text.replace('<source file="/vm/web.s1"/>', "")
    domain = raw_domain("web", disk_xml("/vm/web.s1"), snapshots=[text])
    snapshot = only_snapshot(read(raw_host(domain)))
    assert (snapshot.size_bytes, snapshot.reclaimable_bytes.max) == (None, None)
    assert "vda" in snapshot.reclaimable_bytes.basis


def test_chain_whose_end_nobody_tells_makes_the_view_partial() -> None:
    found = read(raw_host(raw_domain("web", disk_xml("/vm/web.s1", complete=False))))
    assert found.coverage.state is CoverageState.PARTIAL
    assert machine(found).consolidation_needed is None
    assert words(machine(found).protections) == {"unknown-chain"}


def test_images_that_stand_on_each_other_in_a_circle_end_the_chain() -> None:
    domain = raw_domain("web", disk_xml("/vm/a", complete=False))
    volumes = [volume_xml("/vm/a", backing="/vm/b"), volume_xml("/vm/b", backing="/vm/a")]
    found = read(raw_host(domain, pools=[raw_pool(*volumes)]))
    assert [path for path, _ in layers(found)] == ["/vm/b", "/vm/a"]
    assert found.coverage.state is CoverageState.PARTIAL


def test_disk_named_by_pool_and_volume_is_found() -> None:
    disk = (
        "<disk type='volume' device='disk'><source pool='images' volume='web.qcow2'/>"
        "<target dev='vda'/></disk>"
    )
    volumes = [volume_xml("/vm/web.qcow2", used=123)]
    found = read(raw_host(raw_domain("web", disk), pools=[raw_pool(*volumes)]))
    (layer,) = machine(found).disks[0].layers
    assert (layer.path, layer.size_bytes) == ("/vm/web.qcow2", 123)
    assert found.strays == ()


# The part an image plays -------------------------------------------------------------------------


def test_overlay_that_no_snapshot_explains_is_a_phantom() -> None:
    domain = raw_domain("web", disk_xml("/vm/web.backup", "/vm/web.qcow2"), running=True)
    found = read(raw_host(domain))
    assert layers(found) == [
        ("/vm/web.qcow2", LayerRole.BASE),
        ("/vm/web.backup", LayerRole.PHANTOM),
    ]
    assert machine(found).consolidation_needed is True


def test_overlay_of_unrelated_name_is_shown_as_phantom_rather_than_excused() -> None:
    domain = raw_domain("web", disk_xml("/vm/tmp-7", "/vm/disk-a.qcow2"), running=True)
    assert layers(read(raw_host(domain)))[1][1] is LayerRole.PHANTOM


def test_overlay_of_a_snapshot_is_a_delta_and_nothing_needs_consolidation() -> None:
    found = read(raw_host(running_with_overlay()))
    assert layers(found)[1] == ("/vm/web.s1", LayerRole.DELTA)
    assert machine(found).disks[0].layers[1].snapshot_id == "s1"
    assert machine(found).consolidation_needed is False


def test_image_that_several_machines_stand_on_is_a_template() -> None:
    clones = [
        raw_domain(name, disk_xml(f"/vm/{name}.qcow2", "/vm/golden.qcow2"), running=True)
        for name in ("desk1", "desk2")
    ]
    found = read(raw_host(*clones))
    assert layers(found, "desk1") == [
        ("/vm/golden.qcow2", LayerRole.TEMPLATE),
        ("/vm/desk1.qcow2", LayerRole.BASE),
    ]
    assert machine(found, "desk1").consolidation_needed is False


def test_single_clone_is_told_from_a_phantom_by_the_names() -> None:
    clone = raw_domain(
        "desk1", disk_xml("/vm/desk1.qcow2", "/templates/debian.qcow2"), running=True
    )
    assert layers(read(raw_host(clone)), "desk1")[0][1] is LayerRole.TEMPLATE


def test_clone_on_another_machines_overlay_has_only_its_own_image_of_its_own() -> None:
    web = raw_domain(
        "web",
        disk_xml("/vm/web.s2", "/vm/web.s1", "/vm/web.qcow2"),
        running=True,
        snapshots=[
            snapshot_xml("s1", overlays={"vda": "/vm/web.s1"}),
            snapshot_xml("s2", parent="s1", overlays={"vda": "/vm/web.s2"}),
        ],
    )
    lab = raw_domain("lab", disk_xml("/vm/lab.qcow2", "/vm/web.s1", "/vm/web.qcow2"), running=True)
    found = read(raw_host(web, lab))
    assert [role for _, role in layers(found, "lab")] == [
        LayerRole.TEMPLATE,
        LayerRole.TEMPLATE,
        LayerRole.BASE,
    ]
    for snapshot in machine(found).snapshots:
        assert "shared-backing" in words(snapshot.protections)


# Protections -------------------------------------------------------------------------------------


def test_merge_into_an_image_that_a_clone_stands_on_is_forbidden() -> None:
    clone = raw_domain("clone", disk_xml("/vm/clone.qcow2", "/vm/web.qcow2"))
    found = read(raw_host(running_with_overlay(), clone))
    protections = only_snapshot(found).protections
    assert words(protections) == {"shared-backing"}
    assert "clone" in protections[0]


def test_clone_known_only_from_its_volume_protects_too() -> None:
    volumes = [volume_xml("/vm/forgotten.qcow2", backing="/vm/web.qcow2")]
    found = read(raw_host(running_with_overlay(), pools=[raw_pool(*volumes)]))
    assert words(only_snapshot(found).protections) == {"shared-backing"}


def test_clone_that_would_start_from_the_image_next_time_protects_too() -> None:
    other = raw_domain("other", disk_xml("/vm/other.qcow2"), running=True)
    other["inactive_xml"] = domain_xml("other", disk_xml("/vm/web.qcow2"))
    found = read(raw_host(running_with_overlay(), other))
    assert "shared-backing" in words(only_snapshot(found).protections)


def test_snapshot_of_an_unshared_chain_is_not_protected() -> None:
    assert only_snapshot(read(raw_host(running_with_overlay()))).protections == ()


def test_each_state_of_the_machine_that_forbids_changes_is_named() -> None:
    checkpoint = (
        "<domaincheckpoint><name>c1</name><creationTime>1700000000</creationTime>"
        "<disks><disk name='vda' checkpoint='bitmap' bitmap='virtnbdbackup.0'/></disks>"
        "</domaincheckpoint>"
    )
    cases: list[tuple[str, dict[str, Any]]] = [
        ("busy", {"job": 2}),
        ("managed-save", {"managed_save": True}),
        ("transient", {"persistent": False}),
        ("checkpoints", {"checkpoints": [checkpoint]}),
        ("io-error", {"state": 3, "reason": 5}),
        ("busy", {"state": 3, "reason": 11}),
        ("unread", {"trouble": ["access denied"]}),
    ]
    for word, changes in cases:
        found = read(raw_host(running_with_overlay(**changes)))
        assert word in words(machine(found).protections), word
        assert word in words(only_snapshot(found).protections), word


def test_block_job_makes_a_machine_busy() -> None:
    domain = raw_domain("web", disk_xml("/vm/web.qcow2", mirror=True), running=True)
    found = machine(read(raw_host(domain)))
    assert found.busy is True
    assert words(found.protections) == {"busy"}


def test_owner_of_a_checkpoint_is_read_off_its_bitmap() -> None:
    checkpoint = (
        "<domaincheckpoint><name>c1</name><creationTime>1700000000</creationTime>"
        "<disks><disk name='vda' checkpoint='bitmap' bitmap='virtnbdbackup.0'/>"
        "<disk name='vdb' checkpoint='no'/></disks></domaincheckpoint>"
    )
    domain = raw_domain("web", disk_xml("/vm/web.qcow2"), checkpoints=[checkpoint])
    (point,) = machine(read(raw_host(domain))).checkpoints
    assert (point.owner, point.disk_labels) == ("virtnbdbackup", ("vda",))


def test_external_snapshot_with_two_children_is_branched() -> None:
    domain = raw_domain(
        "web",
        disk_xml("/vm/web.s1", "/vm/web.qcow2"),
        running=True,
        snapshots=[
            snapshot_xml("s1", overlays={"vda": "/vm/web.s1"}),
            snapshot_xml("a", parent="s1", internal=["vda"]),
            snapshot_xml("b", parent="s1", internal=["vda"]),
        ],
    )
    found = {s.id: s for s in machine(read(raw_host(domain))).snapshots}
    assert "branched" in words(found["s1"].protections)
    # The image could not be opened, and what hangs below says that it may hold internal ones.
    assert "internal-inside" in words(found["s1"].protections)


def test_external_snapshot_below_an_internal_one_is_left_alone_before_libvirt_11() -> None:
    for version, forbidden in ((9_000_000, True), (11_003_000, False)):
        domain = raw_domain(
            "web",
            disk_xml("/vm/web.s1", "/vm/web.qcow2"),
            running=True,
            snapshots=[
                snapshot_xml("inner", internal=["vda"]),
                snapshot_xml("s1", parent="inner", overlays={"vda": "/vm/web.s1"}),
            ],
        )
        found = {
            s.id: s for s in machine(read(raw_host(domain, library_version=version))).snapshots
        }
        assert ("internal-parent" in words(found["s1"].protections)) is forbidden


def test_snapshot_with_memory_of_a_paused_machine_is_left_alone() -> None:
    text = snapshot_xml(
        "s1", state="running", overlays={"vda": "/vm/web.s1"}, memory="external", memory_file="/m"
    )
    domain = raw_domain(
        "web", disk_xml("/vm/web.s1", "/vm/web.qcow2"), running=True, snapshots=[text], state=3
    )
    assert "paused" in words(only_snapshot(read(raw_host(domain))).protections)


# Fields ------------------------------------------------------------------------------------------


def test_state_in_the_snapshot_tells_what_the_machine_did() -> None:
    states = {
        "running": PowerState.ON,
        "disk-snapshot": PowerState.ON,
        "paused": PowerState.PAUSED,
        "shutoff": PowerState.OFF,
        "something new": PowerState.UNKNOWN,
    }
    for state, expected in states.items():
        domain = raw_domain(
            "web", disk_xml("/vm/w"), snapshots=[snapshot_xml("s", state=state, internal=["vda"])]
        )
        assert only_snapshot(read(raw_host(domain))).power_state is expected


def test_creation_time_is_utc_and_one_that_is_no_time_is_unknown() -> None:
    good = snapshot_xml("good", created=1_700_000_000, internal=["vda"])
    bad = good.replace("1700000000", "soon").replace("good", "bad")
    domain = raw_domain("web", disk_xml("/vm/w"), snapshots=[good, bad], current="good")
    found = {s.id: s.created_at for s in machine(read(raw_host(domain))).snapshots}
    assert found["good"] is not None
    assert found["good"].isoformat() == "2023-11-14T22:13:20+00:00"
    assert found["bad"] is None


# What nothing uses -------------------------------------------------------------------------------


def test_volume_that_nothing_uses_is_a_stray_and_everything_in_use_is_not() -> None:
    text = snapshot_xml(
        "s1", overlays={"vda": "/vm/web.s1"}, memory="external", memory_file="/vm/web.mem"
    )
    cd = "<disk type='file' device='cdrom'><source file='/vm/tools.img'/><target dev='sda'/></disk>"
    domain = raw_domain("web", disk_xml("/vm/web.s1", complete=False), cd, snapshots=[text])
    volumes = [
        volume_xml("/vm/web.s1", backing="/vm/web.qcow2"),
        volume_xml("/vm/web.qcow2"),
        volume_xml("/vm/web.mem", image="raw"),
        volume_xml("/vm/tools.img", image="raw"),
        volume_xml("/vm/installer.iso", image="iso"),
        volume_xml("/vm/notes.txt", image="raw"),
        volume_xml("/vm/old.qcow2", used=77),
        volume_xml("/vm/left.s9", backing="/vm/web.qcow2"),
        volume_xml("/vm/old.mem", image="raw"),
    ]
    found = read(raw_host(domain, pools=[raw_pool(*volumes)]))
    assert {stray.path: stray.kind for stray in found.strays} == {
        "/vm/old.qcow2": StrayKind.VOLUME,
        "/vm/left.s9": StrayKind.OVERLAY,
        "/vm/old.mem": StrayKind.MEMORY,
    }
    assert next(s for s in found.strays if s.path == "/vm/old.qcow2").size_bytes == 77


def test_no_file_is_called_unused_while_some_machine_could_not_be_read() -> None:
    unreadable = raw_domain("secret", xml="", trouble=["access denied"])
    pools = [raw_pool(volume_xml("/vm/secret.qcow2"))]
    found = read(raw_host(unreadable, pools=pools))
    assert found.strays == ()
    assert "unused files" in {gap.subject for gap in found.gaps}


def test_no_file_is_called_unused_while_the_snapshots_of_a_machine_could_not_be_read() -> None:
    domain = raw_domain("web", disk_xml("/vm/w"), trouble=["snapshots: access denied"])
    found = read(raw_host(domain, pools=[raw_pool(volume_xml("/vm/w.mem"))]))
    assert found.strays == ()
    assert "unused files" in {gap.subject for gap in found.gaps}


def test_volume_in_a_drive_by_the_name_of_its_pool_is_in_use() -> None:
    drive = (
        "<disk type='volume' device='cdrom'><source pool='images' volume='tools.img'/>"
        "<target dev='sda'/></disk>"
    )
    domain = raw_domain("web", disk_xml("/vm/w"), drive)
    pools = [raw_pool(volume_xml("/vm/tools.img", image="raw"))]
    assert read(raw_host(domain, pools=pools)).strays == ()


def test_unused_file_of_a_shared_pool_says_that_another_host_may_use_it() -> None:
    pool = raw_pool(volume_xml("/vm/old.qcow2"))
    pool["xml"] = pool["xml"].replace("type='dir'", "type='netfs'")
    (stray,) = read(raw_host(raw_domain("web", disk_xml("/vm/w")), pools=[pool])).strays
    assert "shared" in stray.reason


# Storage and coverage ----------------------------------------------------------------------------


def test_pool_that_was_not_refreshed_says_so_and_counts_the_images_it_misses() -> None:
    found = read(raw_host(running_with_overlay(), pools=[raw_pool(volume_xml("/vm/web.qcow2"))]))
    (store,) = found.datastores
    assert store.stale_reason is not None
    assert "1 image(s) in use" in store.stale_reason
    assert (store.capacity_bytes, store.free_bytes) == (100_000, 40_000)


def test_refreshed_pool_is_not_stale_and_what_it_does_not_list_is_gone() -> None:
    pool = raw_pool(volume_xml("/vm/web.s1", backing="/vm/web.qcow2"), refreshed=True)
    found = read(raw_host(raw_domain("web", disk_xml("/vm/web.s1", complete=False)), pools=[pool]))
    assert found.datastores[0].stale_reason is None
    lost = machine(found).disks[0].layers[0]
    assert (lost.path, lost.exists) == ("/vm/web.qcow2", False)
    assert "broken-chain" in words(machine(found).protections)


def test_provisioned_counts_frozen_images_at_what_they_hold() -> None:
    volumes = [
        volume_xml("/vm/web.s1", used=100, capacity=5_000, backing="/vm/web.qcow2"),
        volume_xml("/vm/web.qcow2", used=3_000, capacity=5_000),
    ]
    found = read(raw_host(running_with_overlay(), pools=[raw_pool(*volumes)]))
    assert found.datastores[0].provisioned_bytes == 5_000 + 3_000


def test_pool_that_is_not_active_is_a_gap() -> None:
    pool = raw_pool(active=False)
    found = read(raw_host(raw_domain("web", disk_xml("/vm/w")), pools=[pool]))
    assert found.coverage.state is CoverageState.PARTIAL
    assert found.datastores[0].accessible is False
    assert found.datastores[0].capacity_bytes is None


def test_not_one_visible_machine_is_suspicious_and_not_clean() -> None:
    found = read(raw_host())
    assert found.coverage.state is CoverageState.SUSPICIOUS
    assert "may not see" in (found.coverage.reason or "")


def test_xml_that_cannot_be_parsed_is_a_gap_and_the_rest_goes_on() -> None:
    broken = raw_domain("broken", xml="<domain>")
    found = read(raw_host(broken, raw_domain("web", disk_xml("/vm/w"))))
    assert found.coverage.state is CoverageState.PARTIAL
    assert {vm.name for vm in found.virtual_machines} == {"broken", "web"}


def test_xml_with_a_document_type_is_refused() -> None:
    bomb = "<!DOCTYPE d [<!ENTITY a 'aaaa'>]><domain><name>&a;</name></domain>"
    found = read(raw_host(raw_domain("web", xml=bomb)))
    assert any("document type" in gap.reason for gap in found.gaps)
