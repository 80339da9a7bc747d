"""Snapshots as overlay files: of machines on and off, of some disks, with memory, and mixed."""

from __future__ import annotations

from tests.beds.guests import Life
from tests.beds.zoo.records import KIB, StagedMachine, StagedSnapshot
from tests.beds.zoo.yard import Yard


def external_running(yard: Yard) -> list[StagedMachine]:
    """Two overlays over a base, written through the running guest."""
    image = yard.image("external-running")
    guest = yard.machine("external-running", image, life=Life.RUNNING)
    yard.external(guest, "first")
    guest.write("vda", 0, 512 * KIB, 2)
    yard.external(guest, "second")
    guest.write("vda", 0, 2048 * KIB, 3)
    lower, upper = yard.overlay(guest, "first"), yard.overlay(guest, "second")
    first = StagedSnapshot(
        name="first",
        kind="external",
        state="disk-snapshot",
        overlays={"vda": lower},
        written_bytes=512 * KIB,
    )
    second = StagedSnapshot(
        name="second",
        kind="external",
        state="disk-snapshot",
        parent="first",
        overlays={"vda": upper},
        written_bytes=2048 * KIB,
    )
    return [
        StagedMachine(
            name=guest.name,
            power="on",
            chains={"vda": (image, lower, upper)},
            snapshots=(first, second),
            current="second",
        )
    ]


def external_off(yard: Yard) -> list[StagedMachine]:
    """An overlay taken while the machine was off: its state says shutoff."""
    image = yard.image("external-off")
    guest = yard.machine("external-off", image)
    yard.external(guest, "cold")
    overlay = yard.overlay(guest, "cold")
    yard.bed.write_offline(overlay, 0, 512 * KIB, 2)
    cold = StagedSnapshot(
        name="cold",
        kind="external",
        state="shutoff",
        overlays={"vda": overlay},
        written_bytes=512 * KIB,
    )
    return [
        StagedMachine(
            name=guest.name,
            chains={"vda": (image, overlay)},
            snapshots=(cold,),
            current="cold",
        )
    ]


def external_memory(yard: Yard) -> list[StagedMachine]:
    """An overlay and a memory file of a machine that runs on."""
    return [_with_memory(yard, "external-memory", "running")]


def paused(yard: Yard) -> list[StagedMachine]:
    """The same of a machine that was paused before and stays so: nothing is written."""
    return [_with_memory(yard, "paused", "paused")]


def _with_memory(yard: Yard, name: str, state: str) -> StagedMachine:
    image = yard.image(name)
    guest = yard.machine(name, image, life=Life.RUNNING)
    if state == "paused":
        guest.domain.suspend()
    file = yard.with_memory(guest, "warm")
    if state == "running":
        guest.write("vda", 0, 512 * KIB, 2)
    overlay = yard.overlay(guest, "warm")
    warm = StagedSnapshot(
        name="warm",
        kind="external",
        state=state,
        overlays={"vda": overlay},
        memory_file=file,
        has_memory=True,
        written_bytes=512 * KIB if state == "running" else 0,
    )
    return StagedMachine(
        name=name,
        power="on" if state == "running" else "paused",
        chains={"vda": (image, overlay)},
        snapshots=(warm,),
        current="warm",
    )


def some_disks(yard: Yard) -> list[StagedMachine]:
    """Three disks: one in both snapshots, one in neither, one in the second only."""
    images = [yard.image(f"some-disks-{target}") for target in ("vda", "vdb", "vdc")]
    guest = yard.machine("some-disks", *images, life=Life.RUNNING)
    yard.external(guest, "first", disks={"vdb": "no", "vdc": "no"})
    guest.write("vda", 0, 512 * KIB, 2)
    yard.external(guest, "second", disks={"vdb": "no"})
    guest.write("vdc", 0, 256 * KIB, 2)
    lower, upper = (yard.pool / f"some-disks-vda.{name}" for name in ("first", "second"))
    third = yard.pool / "some-disks-vdc.second"
    first = StagedSnapshot(
        name="first",
        kind="external",
        state="disk-snapshot",
        overlays={"vda": lower},
        written_bytes=512 * KIB,
    )
    second = StagedSnapshot(
        name="second",
        kind="external",
        state="disk-snapshot",
        parent="first",
        overlays={"vda": upper, "vdc": third},
        written_bytes=256 * KIB,
    )
    return [
        StagedMachine(
            name=guest.name,
            power="on",
            chains={
                "vda": (images[0], lower, upper),
                "vdb": (images[1],),
                "vdc": (images[2], third),
            },
            snapshots=(first, second),
            current="second",
        )
    ]


def mixed(yard: Yard) -> list[StagedMachine]:
    """Internal below external below internal: a merge of the overlay would lose the last."""
    image = yard.image("mixed")
    guest = yard.machine("mixed", image)
    yard.internal(guest, "below")
    yard.external(guest, "between")
    overlay = yard.overlay(guest, "between")
    yard.bed.write_offline(overlay, 0, 512 * KIB, 2)
    yard.internal(guest, "above")
    yard.bed.write_offline(overlay, 0, 256 * KIB, 3)
    below = StagedSnapshot(name="below", kind="internal", state="shutoff", pinned_bytes=0)
    between = StagedSnapshot(
        name="between",
        kind="external",
        state="shutoff",
        parent="below",
        overlays={"vda": overlay},
        written_bytes=768 * KIB,
    )
    above = StagedSnapshot(
        name="above", kind="internal", state="shutoff", parent="between", pinned_bytes=256 * KIB
    )
    return [
        StagedMachine(
            name=guest.name,
            chains={"vda": (image, overlay)},
            snapshots=(below, between, above),
            current="above",
        )
    ]
