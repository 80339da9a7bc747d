"""A machine of the bed with everything that a test of acting asks of it, and a small executor."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from snapaudit.hypervisors.libvirt import LIBVIRT
from snapaudit.model.acting import Call, Phase, Watched
from snapaudit.model.endpoint import Endpoint
from snapaudit.model.inventory import Inventory, VirtualMachine
from snapaudit.model.plan import Action, SnapshotId, VmId
from snapaudit.model.policy import Remedy
from snapaudit.ports import Actuator
from tests.beds.guests import Guest, Life
from tests.beds.libvirtd import MIB, LibvirtBed
from tests.enforce.planned import action, expectation
from tests.hypervisors.libvirt.test_real_qemu import read

_WITHIN = 30.0


@dataclass
class Subject:
    """A machine in a pool of its own. ``write`` goes to the present top image of a disk."""

    bed: LibvirtBed
    pool: Path
    guest: Guest
    was_off: bool

    @property
    def uuid(self) -> VmId:
        return VmId(self.guest.domain.UUIDString())

    @property
    def is_running(self) -> bool:
        return bool(self.guest.domain.isActive())

    def take(
        self,
        name: str,
        *,
        external: bool = True,
        disks: Sequence[str] | None = None,
        memory: bool = False,
        metadata: bool = True,
    ) -> None:
        sdk = self.bed.sdk
        flags = sdk.VIR_DOMAIN_SNAPSHOT_CREATE_DISK_ONLY if external and not memory else 0
        flags |= 0 if metadata else sdk.VIR_DOMAIN_SNAPSHOT_CREATE_NO_METADATA
        every = self.targets
        rows = "".join(
            f"<disk name='{target}' snapshot='{'external' if target in disks else 'no'}'/>"
            for target in every
            if disks is not None
        )
        file = self.pool / f"memory-of-{name}"
        inside = f"<disks>{rows}</disks>" if rows else ""
        inside += f"<memory snapshot='external' file='{file}'/>" if memory else ""
        self.guest.domain.snapshotCreateXML(
            f"<domainsnapshot><name>{name}</name>{inside}</domainsnapshot>", flags
        )

    @property
    def targets(self) -> list[str]:
        return [disk.label for disk in self.seen().disks]

    def write(self, offset_mib: int, length_mib: int, pattern: int, target: str = "vda") -> None:
        offset, length = offset_mib * MIB, length_mib * MIB
        if self.is_running:
            self.guest.write(target, offset, length, pattern)
        else:
            self.bed.write_offline(self.guest.chain(target)[-1], offset, length, pattern)

    def seen(self) -> VirtualMachine:
        return machine(self.inventory(), self.uuid)

    def inventory(self) -> Inventory:
        return read(self.bed.uri)

    def chains(self) -> dict[str, list[str]]:
        """By disk, base first, without the machine's own name."""
        return {
            disk.label: [Path(layer.path).name.removeprefix("subject") for layer in disk.layers]
            for disk in self.seen().disks
        }

    def snapshots(self) -> set[str]:
        return {snapshot.getName() for snapshot in self.guest.domain.listAllSnapshots()}

    def contents(self) -> dict[str, str]:
        """What the guest would read from every disk, as a digest."""
        return {
            disk.label: self.contents_of(disk.label, Path(disk.layers[-1].path))
            for disk in self.seen().disks
        }

    def contents_of(self, label: str, image: Path) -> str:
        raw = self.pool.parent / f"{label}.raw"
        kind = "raw" if image.suffix == ".raw" else "qcow2"
        self.bed.run_qemu_img("convert", "-U", "-f", kind, "-O", "raw", str(image), str(raw))
        digest = sha256(raw.read_bytes()).hexdigest()
        raw.unlink()
        return digest

    def used(self) -> int:
        return sum(path.stat().st_blocks * 512 for path in self.pool.iterdir())

    def record_chain(self) -> None:
        """Let the definition name the whole chain, as some programs write it."""
        text = self.guest.domain.XMLDesc()
        top, *below = reversed(self.seen().disks[0].layers)
        levels = "<backingStore/>"
        for layer in reversed(below):
            levels = (
                f"<backingStore type='file'><format type='qcow2'/>"
                f"<source file='{layer.path}'/>{levels}</backingStore>"
            )
        source = f"<source file='{top.path}'/>"
        self.bed.rw.defineXML(text.replace(source, source + levels))

    def to_raw(self) -> Path:
        """Put a raw image with the same contents in the place of the disk."""
        image = self.guest.chain()[-1]
        raw = image.with_suffix(".raw")
        self.bed.run_qemu_img("convert", "-f", "qcow2", "-O", "raw", str(image), str(raw))
        image.unlink()
        text = self.guest.domain.XMLDesc().replace(str(image), str(raw))
        self.bed.rw.defineXML(text.replace("type='qcow2'", "type='raw'"))
        return raw

    def files(self) -> set[str]:
        return {path.name.removeprefix("subject") for path in self.pool.iterdir()}


def machine(inventory: Inventory, uuid: str) -> VirtualMachine:
    return next(vm for vm in inventory.virtual_machines if vm.id == uuid)


@contextmanager
def subject(
    bed: LibvirtBed, pool: Path, *, life: Life, disks: int = 1, size_mib: int = 64
) -> Iterator[Subject]:
    """A machine whose every disk has some data; gone with its files at the end."""
    images = [
        bed.create_image(pool / f"subject{number or ''}.qcow2", size_bytes=size_mib * MIB)
        for number in range(disks)
    ]
    for image in images:
        bed.write_offline(image, 0, 2 * MIB, 1)
    guest = bed.define_vm("subject", images, life=life)
    try:
        yield Subject(bed, pool, guest, life is Life.OFF)
    finally:
        domain = bed.rw.lookupByName("subject")
        if domain.isActive():
            domain.destroy()
        domain.undefineFlags(bed.sdk.VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA)
        for path in pool.iterdir():
            path.unlink()


def endpoint(bed: LibvirtBed, **options: str | bool) -> Endpoint:
    return Endpoint(name="bed", kind="libvirt", url=bed.uri, options=options)


def deletion(of: Subject, snapshot: str) -> Action:
    return _action(of, Remedy.DELETE_SNAPSHOT, SnapshotId(snapshot))


def consolidation(of: Subject) -> Action:
    return _action(of, Remedy.CONSOLIDATE, None)


def _action(of: Subject, kind: Remedy, snapshot: SnapshotId | None) -> Action:
    seen = next((item for item in of.seen().snapshots if item.id == snapshot), None)
    taken = expectation().snapshot
    assert taken is not None
    expected = replace(taken, identity=seen.identity) if seen is not None else None
    return action(
        kind=kind,
        vm_id=of.uuid,
        vm_name="subject",
        snapshot_id=snapshot,
        snapshot_name=snapshot,
        expects=replace(expectation(), snapshot=expected),
    )


@dataclass
class Run:
    """What became of an action: the calls made, in order, and the reasons of those that failed."""

    made: list[Call] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    watched: list[Watched] = field(default_factory=list)

    @property
    def names(self) -> list[str]:
        return [call.name for call in self.made]


def carry_out(actuator: Actuator, action: Action, run: Run | None = None) -> Run:
    """Observe, ask, send, watch, until there is no next call."""
    run = run or Run()
    while (call := next_call(actuator, action, run)) is not None:
        make(actuator, call, run)
    return run


def next_call(actuator: Actuator, action: Action, run: Run) -> Call | None:
    assert len(run.made) < 20, run.names
    return actuator.next_call(action, actuator.observe(action.vm_id), run.made)


def make(actuator: Actuator, call: Call, run: Run) -> None:
    run.made.append(call)
    task = actuator.send(call)
    wait(actuator, call, task, run)


def wait(actuator: Actuator, call: Call, task: str | None, run: Run) -> Watched:
    last = until(lambda: actuator.watch(call, task), run)
    if last.phase is Phase.FAILED:
        assert last.reason
        run.failed.append(last.reason)
    return last


def until(watch: Callable[[], Watched], run: Run) -> Watched:
    deadline = time.monotonic() + _WITHIN
    while (last := watch()).phase is Phase.RUNNING:
        run.watched.append(last)
        assert time.monotonic() < deadline, "it runs for ever"
        time.sleep(0.01)
    return last


def act(of: Subject, action: Action, **options: str | bool) -> Run:
    """Carry out with an actuator of its own."""
    actuator = LIBVIRT.actuator(endpoint(of.bed, **options), None)
    try:
        return carry_out(actuator, action)
    finally:
        actuator.close()


def starts(of: Subject) -> bool:
    """Whether the machine starts from its disks as they are now."""
    domain: Any = of.guest.domain
    if not domain.isActive():
        domain.create()
    return bool(domain.isActive())


def is_sound(bed: LibvirtBed, image: Path) -> bool:
    """Whether QEMU finds nothing wrong in an image that nobody has open."""
    try:
        bed.run_qemu_img("check", "-q", str(image))
    except subprocess.CalledProcessError:
        return False
    return True
