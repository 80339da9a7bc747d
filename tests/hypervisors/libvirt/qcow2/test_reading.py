from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

from snapaudit.hypervisors.libvirt.qcow2 import LocalSource, Qcow2Error, read_header
from snapaudit.hypervisors.libvirt.qcow2.snapshots import Entry, read_entries
from snapaudit.hypervisors.libvirt.qcow2.source import Range, read_many
from tests.hypervisors.libvirt.qcow2.hand_made import STATE, TABLE, hand_made
from tests.hypervisors.libvirt.qcow2.images import MIB, create, measured, run, snapshot

KIB = 1024


@dataclass
class Recorded:
    """Bytes that tell their own position, and a list of what was asked for."""

    size: int = 64 * MIB
    asked: list[Range] = field(default_factory=list)

    def read_at(self, offset: int, length: int) -> bytes:
        self.asked.append((offset, length))
        return _bytes_at(offset, max(0, min(length, self.size - offset)))


def _bytes_at(offset: int, length: int) -> bytes:
    return bytes(at // KIB % 251 for at in range(offset, offset + length))


def test_near_ranges_are_fetched_in_one_read_and_far_ones_apart() -> None:
    source = Recorded()
    wanted = [(300 * KIB, KIB), (0, KIB), (10 * MIB, 2 * KIB), (200 * KIB, 64 * KIB)]
    found = read_many(source, wanted)
    assert source.asked == [(0, 301 * KIB), (10 * MIB, 2 * KIB)]
    assert found == {(offset, length): _bytes_at(offset, length) for offset, length in wanted}


def test_many_near_ranges_are_fetched_in_reads_of_a_few_mib() -> None:
    source = Recorded()
    found = read_many(source, [(n * 128 * KIB, 64 * KIB) for n in range(100)])
    assert len(found) == 100
    assert len(source.asked) == 4
    assert max(length for _, length in source.asked) <= 4 * MIB


def test_range_at_the_end_is_short_and_behind_the_end_is_empty() -> None:
    found = read_many(Recorded(size=1500), [(1024, KIB), (4096, KIB)])
    assert [len(found[1024, KIB]), len(found[4096, KIB])] == [476, 0]


def test_local_file_is_read_as_far_as_it_has_grown(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"abc")
    source = LocalSource(str(path))
    assert (source.size, source.read_at(1, 10)) == (3, b"bc")
    with path.open("ab") as file:
        file.write(b"def")
    assert (source.size, source.read_at(2, 3)) == (6, b"cde")


def test_pipe_in_the_place_of_an_image_does_not_hold_up_the_reader(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="seek"):
        LocalSource(str(tmp_path / "pipe"))


def test_link_to_an_image_is_followed(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"abc")
    (tmp_path / "link").symlink_to("file")
    assert LocalSource(str(tmp_path / "link")).size == 3


@pytest.mark.parametrize("content", [b"", b"QFI", b"QFI\xfb", bytes(100_000)])
def test_what_is_no_image_is_said_to_be_none(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    with pytest.raises(Qcow2Error, match="no qcow2"):
        read_header(LocalSource(str(path)))


@pytest.mark.usefixtures("tools")
@pytest.mark.parametrize("compat", ["0.10", "1.1"])
def test_header_says_what_the_image_was_made_with(tmp_path: Path, compat: str) -> None:
    base = create(tmp_path / "base", MIB)
    path = create(tmp_path / "image", 3 * MIB, f"compat={compat}", backing=base)
    header = read_header(LocalSource(str(path)))
    assert (header.version, header.cluster_size) == ({"0.10": 2, "1.1": 3}[compat], 64 * KIB)
    assert (header.virtual_size, header.refcount_order) == (3 * MIB, 4)
    assert (header.backing_file, header.backing_format) == (str(base), "qcow2")
    assert (header.is_dirty, header.is_corrupt, header.is_encrypted) == (False, False, False)


@pytest.mark.usefixtures("tools")
def test_data_in_another_file_cannot_be_measured(tmp_path: Path) -> None:
    path = create(tmp_path / "image", MIB, f"data_file={tmp_path / 'data'}")
    assert read_header(LocalSource(str(path))).has_external_data
    with pytest.raises(Qcow2Error, match="another file"):
        measured(path)


@pytest.mark.usefixtures("tools")
def test_snapshots_have_the_names_and_times_that_qemu_shows(tmp_path: Path) -> None:
    path = create(tmp_path / "image", 5 * MIB)
    names = ["before upgrade", "прежде", "n" * 255, *(f"daily-{n:0200}" for n in range(40))]
    for name in names:
        snapshot(path, "-c", name)
    shown = json.loads(run("qemu-img", "info", "--output=json", path))["snapshots"]
    entries = _entries(path)
    assert [entry.name for entry in entries] == names
    for entry, line in zip(entries, shown, strict=True):
        assert (entry.id, entry.vm_state_bytes) == (line["id"], line["vm-state-size"])
        moment = datetime.fromtimestamp(line["date-sec"], UTC)
        assert entry.created_at == moment.replace(microsecond=line["date-nsec"] // 1000)
        assert entry.disk_bytes == 5 * MIB


def _entries(path: Path) -> tuple[Entry, ...]:
    source = LocalSource(str(path))
    return read_entries(source, read_header(source))


def test_size_of_the_memory_is_the_long_number_where_there_is_one() -> None:
    image = hand_made()
    (entry,) = read_entries(image, read_header(image))
    assert (entry.id, entry.name, entry.vm_state_bytes) == ("1", "new", STATE)
    image.write(TABLE + 32, ">II4s", 4096, 0, b"1new")
    (entry,) = read_entries(image, read_header(image))
    assert (entry.name, entry.vm_state_bytes, entry.disk_bytes) == ("new", 4096, None)


def test_impossible_time_of_a_snapshot_is_unknown() -> None:
    image = hand_made().write(TABLE + 20, ">I", 10**9)
    (entry,) = read_entries(image, read_header(image))
    assert entry.created_at is None
