"""Which call comes next, for versions and troubles that no bed here has."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from snapaudit.hypervisors import libvirt
from snapaudit.hypervisors.libvirt import act, identity, xml
from snapaudit.hypervisors.libvirt.files import UnreachableFiles
from snapaudit.hypervisors.libvirt.reading import Reading
from snapaudit.hypervisors.libvirt.settings import Merge, Settings
from snapaudit.hypervisors.libvirt.translate import described, view
from snapaudit.hypervisors.libvirt.ways import Way
from snapaudit.model.acting import Call
from snapaudit.model.endpoint import Account, Endpoint
from snapaudit.model.plan import SnapshotId, VmId
from snapaudit.model.policy import Remedy
from tests.builders import GIB, NOW
from tests.canaries import LIBVIRT as LIBVIRT_PASSWORD
from tests.enforce.planned import action, expectation
from tests.hypervisors.libvirt.raws import (
    disk_xml,
    domain_xml,
    raw_domain,
    raw_host,
    raw_pool,
    snapshot_xml,
    volume_xml,
)

CHAIN = ("/vm/web.s2", "/vm/web.s1", "/vm/web.qcow2")
READY = "<mirror type='file' job='active-commit' ready='yes'><source file='{}'/></mirror>"
DELETED = Call(name="delete", about={"vm_id": "uuid-web"})


def snapshots() -> list[str]:
    return [
        snapshot_xml("s1", overlays={"vda": "/vm/web.s1"}),
        snapshot_xml("s2", parent="s1", overlays={"vda": "/vm/web.s2"}),
    ]


def way(
    snapshot: str | None = "s2",
    *,
    version: int = 9_000_000,
    running: bool = True,
    merge: Merge = Merge.AUTO,
    made: Sequence[Call] = (),
    mirror: str = "",
    used: int = 1000,
    taken: list[str] | None = None,
    meant: str | None = None,
) -> Way:
    taken = snapshots() if taken is None else taken
    disk = disk_xml(*CHAIN).replace("<target", f"{mirror}<target")
    domain = raw_domain("web", disk, running=running, snapshots=taken)
    pairs = zip(CHAIN, (*CHAIN[1:], None), strict=True)
    pool = raw_pool(*(volume_xml(path, used=used, backing=below) for path, below in pairs))
    raw = raw_host(domain, pools=[pool], library_version=version)
    seen = view(raw, UnreachableFiles("they are elsewhere"), only="uuid-web")
    endpoint = Endpoint(name="kvm1", kind="libvirt", url="qemu+tls://kvm1/system")
    found = described(seen, endpoint=endpoint, collected_at=NOW, is_local=False, is_verified=True)
    return Way(
        action=planned(snapshot, found, meant),
        seen=Reading(view=seen, inventory=found, uuid="uuid-web", is_local=False),
        made=made,
        settings=Settings(merge=merge, rate_bytes=7, manual_from_bytes=GIB),
        is_merged=lambda _overlay, _base, _format: False,
    )


def planned(snapshot: str | None, found: Any, meant: str | None) -> Any:
    (vm,) = found.virtual_machines
    record = next((item for item in vm.snapshots if item.id == snapshot), None)
    same = expectation().snapshot
    assert same is not None
    expected = replace(same, identity=meant or record.identity) if record else None
    return action(
        kind=Remedy.DELETE_SNAPSHOT if snapshot else Remedy.CONSOLIDATE,
        vm_id=VmId("uuid-web"),
        snapshot_id=SnapshotId(snapshot) if snapshot else None,
        expects=replace(expectation(), snapshot=expected),
    )


def name_of(made_by: Way) -> str | None:
    call = made_by.next_call()
    return call.name if call is not None else None


@pytest.mark.parametrize(
    ("snapshot", "version", "running", "expected"),
    [
        ("s2", 8_000_000, True, "commit"),
        ("s1", 8_000_000, True, "commit"),
        ("s2", 9_000_000, True, "delete"),
        ("s1", 9_000_000, True, "delete"),
        ("s2", 9_000_000, False, "delete"),
        ("s1", 9_002_000, False, "delete"),
        ("s1", 11_003_000, False, "delete"),
        # Elsewhere, qemu-img is out of reach: libvirt says for itself what it cannot do.
        ("s1", 9_000_000, False, "delete"),
        ("s2", 8_000_000, False, "delete"),
    ],
)
def test_version_and_state_choose_the_way(
    snapshot: str, version: int, running: bool, expected: str
) -> None:
    assert name_of(way(snapshot, version=version, running=running)) == expected


def test_commit_names_base_top_and_rate() -> None:
    call = way("s1", merge=Merge.MANUAL).next_call()
    assert call is not None
    assert (call.about["overlay"], call.about["base"]) == ("/vm/web.s1", "/vm/web.qcow2")
    assert (call.about["is_top"], call.about["rate"]) == (0, 7)


def test_large_overlay_is_merged_by_hand_so_that_it_can_be_slowed_down() -> None:
    assert name_of(way(used=GIB)) == "commit"
    assert name_of(way(used=GIB - 1)) == "delete"
    assert name_of(way(used=GIB, merge=Merge.NATIVE)) == "delete"


def test_what_libvirt_refused_is_tried_by_hand_unless_the_endpoint_forbids_it() -> None:
    assert name_of(way(made=[DELETED])) == "commit"
    assert name_of(way(made=[DELETED], merge=Merge.NATIVE)) is None
    assert name_of(way(made=[DELETED], running=False)) is None


def test_inv_15_call_that_had_no_effect_is_not_made_again() -> None:
    call = way(merge=Merge.MANUAL).next_call()
    assert call is not None
    assert name_of(way(merge=Merge.MANUAL, made=[call])) is None


def test_internal_snapshot_has_one_way_only() -> None:
    taken = [snapshot_xml("s1", internal=["vda"])]
    assert name_of(way("s1", taken=taken, merge=Merge.MANUAL)) == "delete"
    assert name_of(way("s1", taken=taken, made=[DELETED])) is None


def test_snapshot_of_both_kinds_at_once_has_one_way_only() -> None:
    taken = [snapshot_xml("s1", overlays={"vda": "/vm/web.s1"}, internal=["vdb"])]
    assert name_of(way("s1", taken=taken, merge=Merge.MANUAL)) == "delete"
    assert name_of(way("s1", taken=taken, made=[DELETED])) is None


def test_ready_block_job_is_completed_only_where_it_copies_into_the_image_below() -> None:
    ours, other = READY.format("/vm/web.s1"), READY.format("/vm/elsewhere")
    committed = way(merge=Merge.MANUAL).next_call()
    assert committed is not None
    made = [committed]
    pivot = way(merge=Merge.MANUAL, made=made, mirror=ours).next_call()
    assert pivot is not None
    assert (pivot.name, pivot.completes, committed.completes) == ("pivot", True, False)
    assert name_of(way(merge=Merge.MANUAL, made=made, mirror=other)) is None
    not_yet = ours.replace(" ready='yes'", "")
    assert name_of(way(merge=Merge.MANUAL, made=made, mirror=not_yet)) is None


def test_record_is_dropped_only_when_our_own_calls_have_merged_its_data() -> None:
    taken = [snapshot_xml("gone", overlays={"vda": "/vm/web.gone"})]
    merged = Call(
        name="commit",
        about={
            "vm_id": "uuid-web",
            "disk": "vda",
            "overlay": "/vm/web.gone",
            "base": "/vm/web.qcow2",
            "base_format": "qcow2",
        },
    )
    forget = way("gone", taken=taken, made=[merged]).next_call()
    assert forget is not None
    assert (forget.name, forget.tidies) == ("forget", True)
    other = Call(name="commit", about={**merged.about, "overlay": "/vm/web.other"})
    assert name_of(way("gone", taken=taken, made=[other])) is None
    assert name_of(way("gone", taken=taken, merge=Merge.MANUAL)) == "delete"


def test_grd_01_record_that_is_no_longer_the_planned_one_is_left_alone() -> None:
    assert name_of(way()) == "delete"
    assert name_of(way(meant="f00.ba4")) is None
    same = identity.of_record("uuid-web", xml.snapshot(snapshots()[1]))
    assert name_of(way(meant=f"{same}.any")) == "delete"


def test_machine_without_deltas_of_its_own_has_nothing_to_consolidate() -> None:
    assert name_of(way(None)) is None


def test_unexplained_delta_is_merged_by_hand_and_never_deleted() -> None:
    found = way(None, taken=snapshots()[:1]).next_call()
    assert found is not None
    assert (found.name, found.about["overlay"]) == ("commit", "/vm/web.s2")
    assert not found.tidies


# What does not exist -----------------------------------------------------------------------------


def test_inv_04_no_call_that_removes_more_than_one_thing_exists_here() -> None:
    folder = Path(libvirt.__file__).parent
    source = "".join(path.read_text(encoding="utf-8") for path in folder.rglob("*.py"))
    forbidden = (
        r"DELETE_CHILDREN", r"undefine", r"revertToSnapshot", r"\.destroy\w*\(", r"\.wipe",
        r"rmtree", r"blockRebase", r"blockPull", r"checkpoint\w*\.delete",
        r"blockCommit\([^)]*None",
    )  # fmt: skip
    assert [word for word in forbidden if re.search(word, source)] == []
    # Of one snapshot each: libvirt's deletion, and that of a record.
    assert len(re.findall(r"\.delete\(", source)) == 2


def test_inv_12_what_can_change_things_is_not_even_loaded_by_an_audit() -> None:
    program = (
        "import sys\n"
        "from datetime import UTC, datetime\n"
        "from snapaudit.hypervisors.libvirt import LIBVIRT\n"
        "from snapaudit.model.endpoint import Endpoint\n"
        "asked = Endpoint(name='t', kind='libvirt', url='test:///default')\n"
        "LIBVIRT.collect(asked, None, datetime.now(UTC), lambda _: None)\n"
        "LIBVIRT.abilities\n"
        "names = ('act', 'sending', 'offline', 'ways')\n"
        "loaded = [n for n in names if f'snapaudit.hypervisors.libvirt.{n}' in sys.modules]\n"
        "sys.exit(repr(loaded) if loaded else 0)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


class Asked(Exception):
    """The client was about to log in."""


@pytest.mark.parametrize(
    ("acting", "expected"), [(Account(username="clean"), "clean"), (None, "audit")]
)
def test_grd_36_acting_logs_in_as_the_account_that_may_and_writable(
    monkeypatch: pytest.MonkeyPatch, acting: Account | None, expected: str
) -> None:
    asked: list[object] = []

    class Recording:
        def __init__(self, _endpoint: str, _url: str, *, writable: bool) -> None:
            asked.append(writable)

        def connect(self, username: str | None, password: str | None) -> None:
            asked.extend((username, password))
            raise Asked

    monkeypatch.setattr(act, "Client", Recording)
    endpoint = Endpoint(
        name="kvm1",
        kind="libvirt",
        url="qemu+tls://kvm1/system",
        account=Account(username="audit"),
        enforce_as=acting,
    )
    with pytest.raises(Asked):
        libvirt.LIBVIRT.actuator(endpoint, LIBVIRT_PASSWORD)
    assert asked == [True, expected, LIBVIRT_PASSWORD]


def test_record_stays_while_a_sibling_still_names_the_merged_image() -> None:
    frozen = domain_xml("web", disk_xml("/vm/web.gone"))
    sibling = snapshot_xml("kept", parent="gone", overlays={"vda": "/vm/web.s2"}, domain=frozen)
    taken = [snapshot_xml("gone", overlays={"vda": "/vm/web.gone"}), sibling]
    about = {"vm_id": "uuid-web", "disk": "vda", "base": "/vm/web.s1", "base_format": "qcow2"}
    merged = Call(name="commit", about={**about, "overlay": "/vm/web.gone"})
    renewed = way("gone", taken=taken, made=[merged]).next_call()
    assert renewed is not None
    assert renewed.name == "redefine-snapshot"
    # Made, and still due: it failed. To go on would leave a sibling that names a lost image.
    assert way("gone", taken=taken, made=[merged, renewed]).next_call() is None
