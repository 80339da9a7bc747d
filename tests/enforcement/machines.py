"""Machines of a bed with snapshots of any age, and what a guest would read from them.

What a machine is and holds is told by libvirt's own calls and by qemu-img, never by our own eyes.
"""

from __future__ import annotations

import json
import re
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from tests.beds.guests import Guest
from tests.beds.libvirtd import MIB, LibvirtBed
from tests.beds.required import require_bed

AGED = 40 * 86400
"""Old enough for the rules that come with the program, in seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A machine at one moment. Data is told as digests of what a guest reads, by disk.

    ``pasts``: the same for every snapshot, as it would be after going back to it. ``used``: the
    blocks that the machine's pool occupies, in bytes.
    """

    data: Mapping[str, str]
    pasts: Mapping[str, Mapping[str, str]]
    chains: Mapping[str, Sequence[str]]
    files: frozenset[str]
    is_running: bool
    used: int


@dataclass
class Machine:
    """A machine in a pool of its own."""

    bed: LibvirtBed
    guest: Guest
    pool: Path

    @property
    def name(self) -> str:
        return self.guest.name

    @property
    def domain(self) -> Any:
        return self.guest.domain

    def take(
        self,
        name: str,
        *,
        external: bool = True,
        only: Sequence[str] = (),
        memory: bool = False,
        age: int = AGED,
    ) -> Any:
        """A snapshot that was taken so many seconds ago; ``only``: of these disks."""
        sdk = self.bed.sdk
        flags = sdk.VIR_DOMAIN_SNAPSHOT_CREATE_DISK_ONLY if external and not memory else 0
        rows = "".join(
            f"<disk name='{target}' snapshot='{'external' if target in only else 'no'}'/>"
            for target in self.targets()
            if only
        )
        file = self.pool / f"{self.name}.{name}.mem"
        inside = f"<disks>{rows}</disks>" if rows else ""
        inside += f"<memory snapshot='external' file='{file}'/>" if memory else ""
        xml = f"<domainsnapshot><name>{name}</name>{inside}</domainsnapshot>"
        self.domain.snapshotCreateXML(xml, flags)
        return self.redefine(name, taken_at=int(time.time()) - age)

    def redefine(self, name: str, *, taken_at: int, description: str = "") -> Any:
        """Give the record of a snapshot another time and description, as ``virsh edit`` does."""
        sdk = self.bed.sdk
        secure = sdk.VIR_DOMAIN_SNAPSHOT_XML_SECURE
        text = self.domain.snapshotLookupByName(name).getXMLDesc(secure)
        text = re.sub(r"<creationTime>\d+", f"<creationTime>{taken_at}", text, count=1)
        if description:
            text = text.replace("</name>", f"</name><description>{description}</description>", 1)
        flags = sdk.VIR_DOMAIN_SNAPSHOT_CREATE_REDEFINE | sdk.VIR_DOMAIN_SNAPSHOT_CREATE_CURRENT
        if "<state>disk-snapshot</state>" in text:
            flags |= sdk.VIR_DOMAIN_SNAPSHOT_CREATE_DISK_ONLY
        return self.domain.snapshotCreateXML(text, flags)

    def forget(self, name: str) -> None:
        """Drop a snapshot's record and leave its overlay in the chain: a phantom."""
        record_only = self.bed.sdk.VIR_DOMAIN_SNAPSHOT_DELETE_METADATA_ONLY
        self.domain.snapshotLookupByName(name).delete(record_only)

    def taken_at(self, name: str) -> int:
        found = re.search(r"<creationTime>(\d+)", self.record(name))
        assert found is not None
        return int(found[1])

    def record(self, name: str) -> str:
        return str(self.domain.snapshotLookupByName(name).getXMLDesc())

    def write(self, at_mib: int, mib: int, pattern: int, target: str = "vda") -> None:
        if self.domain.isActive():
            self.guest.write(target, at_mib * MIB, mib * MIB, pattern)
        else:
            self.bed.write_offline(self.top(target), at_mib * MIB, mib * MIB, pattern)

    def targets(self) -> list[str]:
        return re.findall(r"<target dev='(vd.)'", self.domain.XMLDesc())

    def top(self, target: str = "vda") -> Path:
        return self.guest.chain(target)[-1]

    def snapshots(self) -> set[str]:
        return {str(name) for name in self.domain.snapshotListNames()}

    def seen(self) -> Seen:
        return Seen(
            data={target: read(self.bed, self.top(target)) for target in self.targets()},
            pasts={name: self._past(name) for name in sorted(self.snapshots())},
            chains={target: chain(self.bed, self.top(target)) for target in self.targets()},
            files=frozenset(path.name for path in self.pool.iterdir()),
            is_running=bool(self.domain.isActive()),
            used=sum(path.stat().st_blocks * 512 for path in self.pool.iterdir()),
        )

    def _past(self, name: str) -> dict[str, str]:
        record = self.record(name).partition("<domain ")[0]
        found = {}
        for target, how, inner in re.findall(
            r"<disk name='(vd.)' snapshot='(external|internal)'[^>]*?(?:/>|>(.*?)</disk>)",
            record,
            re.DOTALL,
        ):
            if how == "internal":
                found[target] = read(self.bed, self.top(target), snapshot=name)
            else:
                overlay = re.search(r"<source file='([^']+)'", inner)
                assert overlay is not None
                below = images(self.bed, Path(overlay[1]))[1]
                found[target] = read(self.bed, below)
        return found


def images(bed: LibvirtBed, top: Path) -> list[Path]:
    """The chain of an image, from the top to its base, as its headers tell."""
    told = json.loads(bed.run_qemu_img("info", "-U", "--backing-chain", "--output=json", str(top)))
    return [Path(level["filename"]) for level in told]


def chain(bed: LibvirtBed, top: Path) -> tuple[str, ...]:
    """The names of the files of a chain, base first."""
    return tuple(path.name for path in reversed(images(bed, top)))


def read(bed: LibvirtBed, image: Path, *, snapshot: str | None = None) -> str:
    """What a guest would read from an image, or from a snapshot inside it, as a digest."""
    raw = bed.pools / "read.raw"
    inside = ("-l", f"snapshot.name={snapshot}") if snapshot is not None else ()
    words = ("convert", "-U", *inside, "-f", "qcow2", "-O", "raw", str(image), str(raw))
    bed.run_qemu_img(*words)
    digest = sha256(raw.read_bytes()).hexdigest()
    raw.unlink()
    return digest


@contextmanager
def small_pool(bed: LibvirtBed, name: str, mib: int) -> Iterator[Path]:
    """A pool on a file system of that size; without the right to mount one it cannot be had."""
    folder = bed.pools / name
    folder.mkdir()
    size = f"size={mib}m,uid={bed.daemon.account.uid},gid={bed.daemon.account.gid},mode=0755"
    mount = ["mount", "-t", "tmpfs", "-o", size, "tmpfs", str(folder)]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        require_bed("a small file system cannot be mounted here")
    try:
        yield bed.pool(name)
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)
