"""The subjects the demo promises, read back through libvirt itself."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import libvirt
import pytest

from snapaudit.demo.fleet import stage
from tests.builders import GIB, NOW
from tests.demo.reading import (
    age,
    all_snaps,
    allocated,
    attribute,
    backing,
    chains,
    fill,
    overlays,
    snaps,
    stitched,
    volumes,
    xml,
)

WRONG_CLOCKS = {"clock-ahead", "no-clock", "flat-battery"}


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Any]:
    connection = libvirt.openReadOnly(stage(tmp_path, NOW).url)
    yield connection
    connection.close()


def listed(node: Any, machine: str) -> list[str]:
    """The chain of a machine's first disk as its definition lists it, top first."""
    return chains(xml(node.lookupByName(machine)))["vda"]


def test_machines_are_on_off_and_paused(node: Any) -> None:
    states = {domain.name(): domain.state()[0] for domain in node.listAllDomains(0)}
    assert {name for name, state in states.items() if state == 3} == {"batch-lab"}
    assert {name for name, state in states.items() if state == 5} == {
        "tmpl-desktop", "vdi-03", "switch-lab", "old-intranet", "old-crm", "old-ledger", "scan01",
    }  # fmt: skip


def test_every_machine_with_snapshots_has_one_current_that_others_do_not_stand_on(
    node: Any,
) -> None:
    for domain in node.listAllDomains(0):
        if found := domain.listAllSnapshots(0):
            parents = {s.findtext("parent/name") for s in snaps(node, domain.name()).values()}
            current = [s.getName() for s in found if s.isCurrent(0)]
            assert len(current) == 1
            assert current[0] not in parents


def test_every_snapshot_carries_the_definition_it_was_taken_of(node: Any) -> None:
    for domain in node.listAllDomains(0):
        for snap in snaps(node, domain.name()).values():
            assert snap.findtext("domain/uuid") == domain.UUIDString()


def test_every_image_of_a_chain_is_a_volume_except_the_two_that_are_meant(node: Any) -> None:
    below = backing(node)
    assert {path for path in below.values() if path} - set(below) == {
        "/mnt/old-nas/images/ledger-base.qcow2",
        "/srv/vm/archive/scan-base.qcow2",
    }


def test_running_machines_list_the_chain_that_the_volumes_tell(node: Any) -> None:
    for domain in node.listAllDomains(libvirt.VIR_CONNECT_LIST_DOMAINS_ACTIVE):
        for listed in chains(xml(domain)).values():
            assert listed == stitched(node, listed[0])


def test_each_overlay_a_snapshot_names_stands_on_the_image_it_froze(node: Any) -> None:
    below, checked = backing(node), 0
    for snap in all_snaps(node):
        frozen = chains(snap)
        for target, overlay in overlays(snap).items():
            assert [below[overlay]] == frozen[target]
            checked += 1
    assert checked > 50


def test_long_chains_have_25_and_17_images_and_the_second_is_known_from_volumes_alone(
    node: Any,
) -> None:
    assert len(listed(node, "router-lab")) == 25
    (top,) = listed(node, "switch-lab")
    assert len(stitched(node, top)) == 17


def test_fill_levels_are_those_of_the_story(node: Any) -> None:
    levels = {pool.name(): fill(pool) for pool in node.listAllStoragePools(0)}
    assert levels.pop("ssd-b") == pytest.approx(0.92)
    assert levels.pop("san-1") == pytest.approx(0.97)
    assert max(levels.values()) < 0.85


def test_only_the_desktops_could_grow_beyond_half_as_much_again_as_their_pool_holds(
    node: Any,
) -> None:
    frozen, shares = set(backing(node).values()), {}
    for pool in node.listAllStoragePools(0):
        files = pool.listAllVolumes(0)
        promised = [f.info()[2 if f.path() in frozen else 1] for f in files]
        shares[pool.name()] = sum(promised) / pool.info()[1]
    assert shares.pop("vdi") > 2
    assert max(shares.values()) < 1.5


def test_file_server_has_overlays_of_47_gib_with_less_room_than_the_largest_needs(
    node: Any,
) -> None:
    used = allocated(node, "files")
    overlays = [used["file01-vdb.quarter-end"], used["file01-vdb.before-share-move"]]
    assert overlays == [25, 22]
    assert 100 - sum(used.values()) < max(overlays)


def test_snapshots_of_the_file_server_leave_its_first_disk_out(node: Any) -> None:
    for snap in snaps(node, "file01").values():
        modes = {disk.get("name"): disk.get("snapshot") for disk in snap.iterfind("disks/disk")}
        assert modes == {"vda": "no", "vdb": "external"}


def test_full_pool_holds_an_overlay_larger_than_what_is_free(node: Any) -> None:
    used = allocated(node, "san-1")
    assert used["erp01.release-24.2"] == 14 > 100 - sum(used.values())


def test_chains_of_chat01_and_ci_02_are_longer_than_their_snapshots_explain(node: Any) -> None:
    for machine, unexplained in (("chat01", 1), ("ci-02", 2)):
        assert len(listed(node, machine)) - 1 - len(snaps(node, machine)) == unexplained


def test_clones_and_the_templates_own_overlay_stand_on_one_image(node: Any) -> None:
    template = "/srv/vm/vdi/tmpl-desktop.qcow2"
    children = [path for path, below in backing(node).items() if below == template]
    assert {path.rsplit("/", 1)[1] for path in children} == {
        "tmpl-desktop.office-updates", "vdi-01.qcow2", "vdi-02.qcow2", "vdi-03.qcow2",
    }  # fmt: skip


def test_five_files_belong_to_no_disk_and_one_of_them_is_an_inserted_cd(node: Any) -> None:
    used = {attribute(snap, "memory", "file") for snap in all_snaps(node)}
    for domain in node.listAllDomains(0):
        used.update(path for disk in chains(xml(domain)).values() for path in disk)
    for path in tuple(used):
        used.update(stitched(node, path))
    strays = {path.rsplit("/", 1)[1] for path in set(volumes(node)) - used}
    assert strays == {
        "old-crm-clone.qcow2", "mail01.pre-migration", "print01-driver-test.ram",
        "debian-installer.iso", "rescue.iso",
    }  # fmt: skip
    assert "debian-installer.iso" in node.lookupByName("ci-01").XMLDesc(0)


def test_memory_is_kept_inside_an_image_and_in_a_file_of_known_size(node: Any) -> None:
    inside = snaps(node, "erp-test").values()
    assert {attribute(snap, "memory", "snapshot") for snap in inside} == {"internal"}
    assert sorted(map(age, inside)) == [timedelta(hours=40), timedelta(days=9)]
    file = attribute(snaps(node, "batch-lab")["halted-run"], "memory", "file")
    assert node.storageVolLookupByPath(file).info()[2] == 2 * GIB


def test_tree_of_cluster_lab_has_two_branches_and_an_overlay_on_one(node: Any) -> None:
    tree = {name: s.findtext("parent/name") for name, s in snaps(node, "cluster-lab").items()}
    assert tree == {
        "installed": None,
        "network-a": "installed",
        "network-b": "installed",
        "storage": "network-b",
    }
    assert len(listed(node, "cluster-lab")) == 2


def test_internal_snapshot_of_wiki01_lies_inside_the_overlay_of_the_one_before(
    node: Any,
) -> None:
    found = snaps(node, "wiki01")
    assert chains(found["theme-trial"])["vda"] == [overlays(found["php-upgrade"])["vda"]]


def test_wrong_clocks_show_as_future_as_1970_and_as_no_time_at_all(node: Any) -> None:
    assert age(snaps(node, "time-lab")["clock-ahead"]) == timedelta(days=-3)
    control = snaps(node, "control-lab")
    assert control["flat-battery"].findtext("creationTime") == "86400"
    assert control["no-clock"].find("creationTime") is None


def test_all_other_snapshots_lie_in_the_past(node: Any) -> None:
    found = all_snaps(node)
    regular = [snap for snap in found if snap.findtext("name") not in WRONG_CLOCKS]
    assert len(regular) == len(found) - 3
    assert all(age(snap) > timedelta(hours=2) for snap in regular)


@pytest.mark.parametrize(
    ("machine", "snap", "words"),
    [
        ("mail01", "mta-upgrade", "Keep until 2026-06-03"),
        ("wiki01", "php-upgrade", "Keep until 2026-05-20"),
        ("hr01", "vor-umzug", "aufbewahren bis 30.05.2026"),
    ],
)
def test_declared_ends_are_dates_counted_from_now(
    node: Any, machine: str, snap: str, words: str
) -> None:
    assert words in snaps(node, machine)[snap].findtext("description", "")


def test_hostile_names_come_back_as_they_were_written(node: Any) -> None:
    assert set(snaps(node, "[bold]kiosk")) == {"[/bold]", "=1+1"}
    longest, marked = sorted(snaps(node, "signage-lab"), key=len, reverse=True)
    assert "\u200f" in marked
    assert len(longest) > 200


def test_unnamed_snapshot_bears_its_own_unix_time(node: Any) -> None:
    ((name, snap),) = snaps(node, "web02").items()
    assert name == snap.findtext("creationTime")
    assert snap.find("description") is None


def test_weekly_snapshots_of_the_branches_lie_a_week_apart(node: Any) -> None:
    for machine in ("buchhaltung-de", "compta-fr", "magazyn-pl", "sklad-ru", "caiwu-cn"):
        ages = sorted(age(snap) for snap in snaps(node, machine).values())
        assert {later - earlier for earlier, later in pairwise(ages)} == {timedelta(days=7)}
