"""Machines in a state that forbids or complicates a clean-up, and chains nobody explains."""

from __future__ import annotations

from tests.beds.guests import Guest, Life
from tests.beds.zoo.records import KIB, StagedMachine, StagedSnapshot
from tests.beds.zoo.yard import Yard

_WRITTEN = 512 * KIB


def phantom_never_registered(yard: Yard) -> list[StagedMachine]:
    """An overlay made without metadata, as backup tools do."""
    guest = yard.machine("phantom-unregistered", life=Life.RUNNING)
    yard.external(guest, "backup", flags=yard.sdk.VIR_DOMAIN_SNAPSHOT_CREATE_NO_METADATA)
    guest.write("vda", 0, _WRITTEN, 2)
    return [_phantom(yard, guest, "backup")]


def phantom_forgotten(yard: Yard) -> list[StagedMachine]:
    """An overlay whose snapshot was deleted in libvirt's books only."""
    guest = yard.machine("phantom-forgotten", life=Life.RUNNING)
    snapshot = yard.external(guest, "backup")
    guest.write("vda", 0, _WRITTEN, 2)
    snapshot.delete(yard.sdk.VIR_DOMAIN_SNAPSHOT_DELETE_METADATA_ONLY)
    return [_phantom(yard, guest, "backup")]


def _phantom(yard: Yard, guest: Guest, snapshot: str) -> StagedMachine:
    overlay = yard.overlay(guest, snapshot)
    chain = (yard.pool / f"{guest.name}.qcow2", overlay)
    return StagedMachine(name=guest.name, power="on", chains={"vda": chain}, phantoms=(overlay,))


def checkpointed(yard: Yard) -> list[StagedMachine]:
    """A backup tool's checkpoint, and an overlay on the same disk."""
    guest = yard.machine("checkpointed", life=Life.RUNNING)
    guest.domain.checkpointCreateXML("<domaincheckpoint><name>nightly.0</name></domaincheckpoint>")
    return [_one_overlay(yard, guest, checkpoints=("nightly.0",))]


def transient(yard: Yard) -> list[StagedMachine]:
    """A machine whose description ends with it."""
    guest = yard.machine("transient", life=Life.TRANSIENT)
    return [_one_overlay(yard, guest, persistent=False)]


def managed_save(yard: Yard) -> list[StagedMachine]:
    """Off, with its memory saved by libvirt: that memory fits the present chain only."""
    guest = yard.machine("managed-save", life=Life.RUNNING)
    staged = _one_overlay(yard, guest, power="off", managed_save=True)
    guest.domain.managedSave(0)
    return [staged]


def commit_ready(yard: Yard) -> list[StagedMachine]:
    """A merge that copied everything and was never switched over."""
    guest = yard.machine("commit-ready", life=Life.RUNNING)
    staged = _one_overlay(yard, guest, mirror_ready=True)
    guest.commit_until_ready()
    return [staged]


def backup_running(yard: Yard) -> list[StagedMachine]:
    """A backup that waits for somebody to read it."""
    guest = yard.machine("backup-running", life=Life.RUNNING)
    staged = _one_overlay(yard, guest, backup_running=True)
    aside = yard.bed.pools
    guest.domain.backupBegin(
        f"<domainbackup mode='pull'><server transport='unix' socket='{aside}/backup.sock'/><disks>"
        f"<disk name='vda' type='file'><scratch file='{aside}/backup.scratch'/></disk>"
        "</disks></domainbackup>",
        None,
    )
    return [staged]


def broken(yard: Yard) -> list[StagedMachine]:
    """An overlay whose base is gone."""
    image = yard.image("broken")
    guest = yard.machine("broken", image)
    yard.external(guest, "cut")
    overlay = yard.overlay(guest, "cut")
    image.unlink()
    cut = StagedSnapshot(
        name="cut", kind="external", state="shutoff", overlays={"vda": overlay}, written_bytes=0
    )
    return [
        StagedMachine(
            name=guest.name,
            chains={"vda": (image, overlay)},
            snapshots=(cut,),
            current="cut",
            missing=(image,),
        )
    ]


def plain(yard: Yard) -> list[StagedMachine]:
    """Machines without anything to find, on and off."""
    on = yard.machine("plain-on", life=Life.RUNNING)
    off = yard.machine("plain-off")
    return [
        StagedMachine(name=on.name, power="on", chains={"vda": (yard.pool / "plain-on.qcow2",)}),
        StagedMachine(name=off.name, chains={"vda": (yard.pool / "plain-off.qcow2",)}),
    ]


def _one_overlay(
    yard: Yard,
    guest: Guest,
    *,
    power: str = "on",
    checkpoints: tuple[str, ...] = (),
    persistent: bool = True,
    managed_save: bool = False,
    mirror_ready: bool = False,
    backup_running: bool = False,
) -> StagedMachine:
    yard.external(guest, "only")
    guest.write("vda", 0, _WRITTEN, 2)
    overlay = yard.overlay(guest, "only")
    only = StagedSnapshot(
        name="only",
        kind="external",
        state="disk-snapshot",
        overlays={"vda": overlay},
        written_bytes=_WRITTEN,
    )
    return StagedMachine(
        name=guest.name,
        power=power,
        chains={"vda": (yard.pool / f"{guest.name}.qcow2", overlay)},
        snapshots=(only,),
        current="only",
        checkpoints=checkpoints,
        persistent=persistent,
        managed_save=managed_save,
        mirror_ready=mirror_ready,
        backup_running=backup_running,
    )
