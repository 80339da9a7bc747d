"""Facts about the disks of a virtual machine and the chains of images they stand on."""

from __future__ import annotations

from snapaudit.model.inventory import LayerRole
from snapaudit.rules.facts.registry import fact
from snapaudit.rules.held import overlays
from snapaudit.rules.quantity import Bytes, Unknown, known_sum
from snapaudit.rules.scene import MachineScene

_NO_STORE = Unknown("it is not known on which datastore an image of it lies")
_NO_LAYER = "the size of an overlay is not known"


@fact
def disks(scene: MachineScene) -> int:
    """How many disks it has."""
    return len(scene.vm.disks)


@fact
def disks_size(scene: MachineScene) -> Bytes | Unknown:
    """The capacity of its disks together."""
    total = disk_bytes(scene)
    return total if isinstance(total, Unknown) else Bytes(total)


def disk_bytes(scene: MachineScene) -> int | Unknown:
    """The capacity of the machine's disks together."""
    sizes = [disk.capacity_bytes for disk in scene.vm.disks]
    return known_sum(sizes, "the capacity of a disk is not known")


@fact
def datastores(scene: MachineScene) -> tuple[str, ...] | Unknown:
    """The names of the datastores its images lie on."""
    ids = {layer.datastore_id for disk in scene.vm.disks for layer in disk.layers}
    known = scene.endpoint.datastores
    if None in ids or not ids <= known.keys():
        return _NO_STORE
    return tuple(sorted(known[one].name for one in ids if one is not None))


@fact
def longest_chain(scene: MachineScene) -> int:
    """How many images the longest chain of its disks has."""
    return max((len(disk.layers) for disk in scene.vm.disks), default=0)


@fact
def largest_layer_size(scene: MachineScene) -> Bytes | Unknown:
    """The largest of its overlays: deltas of snapshots, and those that no snapshot explains."""
    sizes = [layer.size_bytes for layer in overlays(scene.vm)]
    largest = max((size for size in sizes if size is not None), default=0)
    return Unknown(_NO_LAYER, largest) if None in sizes else Bytes(largest)


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
