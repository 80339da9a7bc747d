"""Facts about a virtual machine."""

from __future__ import annotations

from snapaudit.model.inventory import LayerRole, PowerState
from snapaudit.rules.facts.registry import fact
from snapaudit.rules.quantity import Bytes, Share, Unknown, known_sum, share_of
from snapaudit.rules.scene import MachineScene

_NO_CONSOLIDATION = Unknown("the hypervisor does not tell whether consolidation is needed")
_NO_POWER = Unknown("the power state is not known")
_NO_BUSY = Unknown("the hypervisor does not tell whether a task runs")


@fact
def name(scene: MachineScene) -> str:
    """The name."""
    return scene.vm.name


@fact
def notes(scene: MachineScene) -> str:
    """The notes of the machine; empty text when there are none."""
    return scene.vm.notes


@fact
def power(scene: MachineScene) -> PowerState | Unknown:
    """What the machine does now."""
    state = scene.vm.power_state
    return _NO_POWER if state is PowerState.UNKNOWN else state


@fact
def is_busy(scene: MachineScene) -> bool | Unknown:
    """Whether a task such as a backup, a copy or a migration runs on it."""
    return _NO_BUSY if scene.vm.busy is None else scene.vm.busy


@fact
def is_template(scene: MachineScene) -> bool:
    """Whether it is a template."""
    return scene.vm.is_template


@fact
def snapshots(scene: MachineScene) -> int:
    """How many snapshots it has."""
    return len(scene.vm.snapshots)


@fact
def snapshots_size(scene: MachineScene) -> Bytes | Unknown:
    """The sizes of all its snapshots together."""
    sizes = [snapshot.size_bytes for snapshot in scene.vm.snapshots]
    total = known_sum(sizes, "the size of a snapshot is not known")
    return total if isinstance(total, Unknown) else Bytes(total)


@fact
def snapshots_share(scene: MachineScene) -> Share | Unknown:
    """The sizes of all its snapshots together against the sum of its disks."""
    if not scene.vm.snapshots:
        return Share(0.0)
    return share_of(snapshots_size(scene), disk_bytes(scene))


def disk_bytes(scene: MachineScene) -> int | Unknown:
    """The capacity of the machine's disks together."""
    sizes = [disk.capacity_bytes for disk in scene.vm.disks]
    return known_sum(sizes, "the capacity of a disk is not known")


@fact
def longest_chain(scene: MachineScene) -> int:
    """How many images the longest chain of its disks has."""
    return max((len(disk.layers) for disk in scene.vm.disks), default=0)


@fact
def phantom_layers(scene: MachineScene) -> int:
    """How many overlays stand in its chains that no registered snapshot explains."""
    layers = (layer for disk in scene.vm.disks for layer in disk.layers)
    return sum(layer.role is LayerRole.PHANTOM for layer in layers)


@fact
def missing_layers(scene: MachineScene) -> int | Unknown:
    """How many images of its chains are gone."""
    found = [layer.exists for disk in scene.vm.disks for layer in disk.layers]
    missing, unseen = found.count(False), found.count(None)
    if unseen:
        reason = f"nobody could look whether an image of its chains exists ({unseen})"
        return Unknown(reason, missing)
    return missing


@fact
def consolidation_needed(scene: MachineScene) -> bool | Unknown:
    """Whether the hypervisor says that its disks need consolidation."""
    needed = scene.vm.consolidation_needed
    return _NO_CONSOLIDATION if needed is None else needed


@fact
def is_protected(scene: MachineScene) -> bool:
    """Whether something found while collecting forbids to change its chains."""
    return bool(scene.vm.protections)
