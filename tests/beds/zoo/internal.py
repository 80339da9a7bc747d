"""Snapshots inside the image, and what is left of them when somebody went behind libvirt's back."""

from __future__ import annotations

from tests.beds.guests import Life
from tests.beds.zoo.records import KIB, StagedMachine, StagedSnapshot
from tests.beds.zoo.yard import Yard


def internal_off(yard: Yard) -> list[StagedMachine]:
    """Two snapshots of a machine that is off; each write covers part of the one before."""
    image = yard.image("internal-off")
    guest = yard.machine("internal-off", image)
    yard.internal(guest, "first")
    yard.bed.write_offline(image, 0, 512 * KIB, 2)
    yard.internal(guest, "second")
    yard.bed.write_offline(image, 0, 256 * KIB, 3)
    first = StagedSnapshot(name="first", kind="internal", state="shutoff", pinned_bytes=512 * KIB)
    second = StagedSnapshot(
        name="second", kind="internal", state="shutoff", parent="first", pinned_bytes=256 * KIB
    )
    return [
        StagedMachine(
            name=guest.name, chains={"vda": (image,)}, snapshots=(first, second), current="second"
        )
    ]


def internal_running(yard: Yard) -> list[StagedMachine]:
    """One snapshot with memory, inside the image of a running machine."""
    image = yard.image("internal-running")
    guest = yard.machine("internal-running", image, life=Life.RUNNING)
    yard.internal(guest, "live")
    guest.write("vda", 0, 512 * KIB, 2)
    live = StagedSnapshot(
        name="live", kind="internal", state="running", has_memory=True, pinned_bytes=512 * KIB
    )
    return [
        StagedMachine(
            name=guest.name,
            power="on",
            chains={"vda": (image,)},
            snapshots=(live,),
            current="live",
        )
    ]


def branches(yard: Yard) -> list[StagedMachine]:
    """One snapshot with two children: the machine went back to it and took another way."""
    image = yard.image("branches")
    guest = yard.machine("branches", image)
    root = yard.internal(guest, "root")
    yard.bed.write_offline(image, 0, 512 * KIB, 2)
    yard.internal(guest, "left")
    guest.domain.revertToSnapshot(root)
    yard.bed.write_offline(image, 0, 256 * KIB, 3)
    yard.internal(guest, "right")
    pinned = {"root": 256 * KIB, "left": 512 * KIB, "right": 0}
    snapshots = tuple(
        StagedSnapshot(
            name=name,
            kind="internal",
            state="shutoff",
            parent=None if name == "root" else "root",
            pinned_bytes=size,
        )
        for name, size in pinned.items()
    )
    return [
        StagedMachine(
            name=guest.name, chains={"vda": (image,)}, snapshots=snapshots, current="right"
        )
    ]


def unregistered(yard: Yard) -> list[StagedMachine]:
    """A snapshot made with qemu-img: the image knows it and libvirt does not."""
    image = yard.image("unregistered")
    guest = yard.machine("unregistered", image)
    yard.bed.run_qemu_img("snapshot", "-c", "hidden", str(image))
    yard.bed.write_offline(image, 0, 512 * KIB, 2)
    return [StagedMachine(name=guest.name, chains={"vda": (image,)}, unregistered=("hidden",))]


def dataless(yard: Yard) -> list[StagedMachine]:
    """A snapshot deleted with qemu-img: libvirt knows it and the image does not."""
    image = yard.image("dataless")
    guest = yard.machine("dataless", image)
    yard.internal(guest, "hollow")
    yard.bed.run_qemu_img("snapshot", "-d", "hollow", str(image))
    hollow = StagedSnapshot(name="hollow", kind="internal", state="shutoff")
    return [
        StagedMachine(
            name=guest.name,
            chains={"vda": (image,)},
            snapshots=(hollow,),
            current="hollow",
            dataless=("hollow",),
        )
    ]
