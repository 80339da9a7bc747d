"""The fast way and the careful way, held against each other and against what was written."""

from __future__ import annotations

from contextlib import suppress
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from snapaudit.hypervisors.vsphere.raw import (
    RawChain,
    RawDisk,
    RawFile,
    RawLayout,
    RawObject,
    RawSnapshot,
    RawSnapshotLayout,
    RawTree,
)
from snapaudit.hypervisors.vsphere.soap.fault import Malformed, SoapFault
from snapaudit.hypervisors.vsphere.soap.flat import FlatReader
from snapaudit.hypervisors.vsphere.soap.page import PageReader
from tests.hypervisors.vsphere.soap.drawing import STYLES, machines, variation
from tests.hypervisors.vsphere.soap.machines import devices, field, layout, tree
from tests.hypervisors.vsphere.soap.test_stream import read
from tests.hypervisors.vsphere.soapwords import missing, objects, page, prop, text

MANY = settings(deadline=None, max_examples=300)


def carefully(answer: bytes) -> list[RawObject]:
    return read(PageReader, answer)[0]


def quickly(answer: bytes, size: int = 2**16) -> list[RawObject]:
    return read(FlatReader, answer, size)[0]


@MANY
@given(machines())
def test_both_ways_read_what_was_written(drawn: tuple[dict[str, object], str]) -> None:
    values, written = drawn
    answer = page(objects({"vm-1": written}))
    expected = [RawObject("VirtualMachine", "vm-1", values)]
    assert carefully(answer) == expected
    assert quickly(answer) == expected


@MANY
@given(st.data())
def test_whatever_the_careful_way_can_read_the_fast_way_reads_alike(data: Any) -> None:
    _, written = data.draw(machines())
    answer = page(objects({"vm-1": data.draw(variation(written)), "vm-2": written}))
    try:
        expected = carefully(answer)
    except (Malformed, SoapFault):
        assume(False)
    assert quickly(answer, data.draw(st.integers(50, 5000))) == expected


@MANY
@given(st.data())
def test_tst_11_random_bytes_in_an_answer_end_in_records_or_a_clear_error(data: Any) -> None:
    _, written = data.draw(machines())
    answer = bytearray(page(objects({"vm-1": written})))
    for at, byte in data.draw(
        st.lists(st.tuples(st.integers(0, len(answer) - 1), st.integers(0, 255)), max_size=4)
    ):
        answer[at] = byte
    for way in (carefully, quickly):
        with suppress(Malformed, SoapFault):
            assert all(one.moid for one in way(bytes(answer)))


@pytest.mark.parametrize("style", STYLES)
def test_the_usual_form_needs_no_second_reading(style: str) -> None:
    chain = RawChain(2000, ((1, 2), (3, 4)))
    files = {n: RawFile(n, f"[d] a/{n}.vmdk", "diskExtent", n, None, None, True) for n in range(5)}
    disk = RawDisk(
        key=2000, label="Hard disk 1", capacity=1024, backing="VirtualDiskFlatVer2BackingInfo",
        file="[d] a/2.vmdk", datastore="datastore-1", mode="persistent", parents=("[d] a/1.vmdk",),
    )  # fmt: skip
    snapshots = RawTree("s-1", (RawSnapshot("s-1", 1, "n", "", None, "x", False, None),))
    files_of = RawLayout(files, (chain,), (RawSnapshotLayout("s-1", 0, -1, (chain,)),), None)
    values: dict[str, object] = {
        "name": "a & b",
        "snapshot": snapshots,
        "layoutEx": files_of,
        "config.hardware.device": (disk,),
    }
    inside = (
        text("name", "a & b", style)
        + tree(snapshots, style)
        + layout(files_of, style)
        + devices((disk,), style)
    )
    with patch.object(FlatReader, "_carefully") as second:
        found = quickly(page(objects({"vm-1": inside, "vm-2": inside})))
    assert not second.called
    assert [one.values for one in found] == [values, values]


def test_a_text_of_more_than_a_buffer_is_whole() -> None:
    long = "x" * 200_000
    one = RawSnapshot("s-1", 1, "n", long, None, "poweredOn", None, None)
    answer = page(objects({"vm-1": tree(RawTree("s-1", (one,)), "vcenter") + text("name", long)}))
    assert quickly(answer) == carefully(answer)
    assert quickly(answer)[0].values == {"snapshot": RawTree("s-1", (one,)), "name": long}


def test_b13_a_tree_deeper_than_the_stack_is_read_all_the_same() -> None:
    deep = 3_000
    nodes = "".join(
        f"<{'childSnapshotList' if n else 'rootSnapshotList'}><snapshot>s-{n}</snapshot>"
        f"<name>n</name><description>d</description><id>{n}</id>"
        for n in range(deep)
    )
    ends = "</childSnapshotList>" * (deep - 1) + "</rootSnapshotList>"
    answer = page(objects({"vm-1": prop("snapshot", "VirtualMachineSnapshotInfo", nodes + ends)}))
    for way in (carefully, quickly):
        found = way(answer)[0].values["snapshot"]
        assert isinstance(found, RawTree)
        assert [one.parent for one in found.snapshots[-2:]] == [f"s-{deep - 3}", f"s-{deep - 2}"]


def test_u10_a_disk_spelled_in_an_unusual_way_is_not_passed_over() -> None:
    disk = (
        "<VirtualDevice xsi:type = 'VirtualDisk'><key>2000</key>"
        "<backing xsi:type='VirtualDiskFlatVer2BackingInfo'><fileName>[d] a.vmdk</fileName>"
        "</backing><capacityInBytes>5</capacityInBytes></VirtualDevice>"
    )
    usual = devices((), "vcenter").replace("</val>", disk + "</val>")
    [found] = quickly(page(objects({"vm-1": usual})))
    disks = found.values["config.hardware.device"]
    assert isinstance(disks, tuple)
    assert [one.file for one in disks] == ["[d] a.vmdk"]


def test_paths_of_every_kind_of_value_are_read_by_their_type() -> None:
    inside = (
        prop("info.state", "TaskInfoState", "running")
        + prop("info.progress", "xsd:int", "42")
        + prop("info.queueTime", "xsd:dateTime", "2026-01-02T03:04:05.678901234Z")
        + prop("info.entity", "ManagedObjectReference", "vm-7", extra=' type="VirtualMachine"')
        + prop("info.reason", "TaskReasonUser", "<userName>LAB\\ann</userName>")
        + prop("info.cancelable", "xsd:boolean", "1")
        + prop("info.novel", "NovelThing", "<a>1</a>")
        + prop("config.keyId", "CryptoKeyId", field("keyId", "k-1"))
        + prop("runtime.question", "VirtualMachineQuestionInfo", field("text", "Moved or copied?"))
        + prop(
            "info.error",
            "LocalizedMethodFault",
            '<fault xsi:type="TaskInProgress"/><localizedMessage>busy</localizedMessage>',
        )
    )
    [found] = carefully(page(objects({"task-1": inside}, "Task")))
    assert found.kind == "Task"
    values = dict(found.values)
    error = values.pop("info.error")
    assert (getattr(error, "name", None), getattr(error, "message", None)) == (
        "TaskInProgress",
        "busy",
    )
    assert str(values.pop("info.queueTime")) == "2026-01-02 03:04:05.678901+00:00"
    assert values == {
        "info.state": "running",
        "info.progress": 42,
        "info.entity": "vm-7",
        "info.reason": "LAB\\ann",
        "info.cancelable": True,
        "info.novel": "NovelThing",
        "config.keyId": "k-1",
        "runtime.question": "Moved or copied?",
    }
    assert quickly(page(objects({"task-1": inside}, "Task"))) == [found]


def test_i10_a_moment_without_a_zone_is_none_and_one_of_another_zone_is_in_utc() -> None:
    inside = prop("a", "xsd:dateTime", "2026-01-02T03:04:05") + prop(
        "b", "xsd:dateTime", "2026-01-02T03:04:05+02:00"
    )
    [found] = carefully(page(objects({"vm-1": inside})))
    assert found.values["a"] is None
    assert str(found.values["b"]) == "2026-01-02 01:04:05+00:00"


@pytest.mark.parametrize("bad", ["many", "", "1e9", "0x10"])
def test_b12_a_number_that_is_none_is_malformed_and_never_zero(bad: str) -> None:
    inside = prop("summary.capacity", "xsd:long", bad) + missing("summary.freeSpace", "X")
    for way in (carefully, quickly):
        with pytest.raises(Malformed):
            way(page(objects({"ds-1": inside}, "Datastore")))
