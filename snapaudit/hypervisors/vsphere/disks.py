"""A machine's disks with their chains, as the model has them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from snapaudit.hypervisors.vsphere.chains import Chains
from snapaudit.hypervisors.vsphere.consolidation import Image
from snapaudit.hypervisors.vsphere.datastores import Stores
from snapaudit.hypervisors.vsphere.machine import Machine
from snapaudit.hypervisors.vsphere.raw import RawDisk, RawFile
from snapaudit.hypervisors.vsphere.sizes import weight
from snapaudit.model.inventory import DiskLayer, LayerRole, VirtualDisk

_FORMATS = {"sesparse.vmdk": "sesparse", "delta.vmdk": "delta", "flat.vmdk": "flat"}


def virtual_disks(
    machine: Machine,
    chains: Chains | None,
    images: Mapping[int, tuple[Image, ...]] | None,
    stores: Stores,
) -> tuple[VirtualDisk, ...]:
    """From the layout; where nobody told it, from the devices, with unknown sizes."""
    devices = {disk.key: disk for disk in machine.devices or ()}
    if chains is None or images is None:
        return tuple(_without_layout(machine, disk, stores) for disk in devices.values())
    return tuple(
        VirtualDisk(
            id=str(key),
            label=devices[key].label if key in devices else f"disk {key}",
            capacity_bytes=devices[key].capacity if key in devices else None,
            layers=tuple(_layers(machine, chains, line, devices.get(key), stores)),
        )
        for key, line in images.items()
    )


def _layers(
    machine: Machine,
    chains: Chains,
    line: tuple[Image, ...],
    device: RawDisk | None,
    stores: Stores,
) -> Iterator[DiskLayer]:
    told = _told(device)
    for at, image in enumerate(line):
        height = len(line) - 1 - at
        path = image.path or (told[height] if height < len(told) else None)
        known, troubles = weight(chains, image.unit)
        is_raw = image.disk in chains.raw_devices and at == 0
        files = [chains.files[key] for key in image.unit if key in chains.files]
        is_seen = len(files) == len(image.unit) > 0
        yield DiskLayer(
            path=path or f"file {'+'.join(map(str, image.unit))} of {machine.moid}",
            datastore_id=stores.find(path, machine.datastores) if path else None,
            size_bytes=None if is_raw or troubles else known,
            role=image.role,
            snapshot_id=image.snapshot,
            format=_format(files),
            # A server lists what it found when it looked; None for what it does not list or reach.
            exists=(is_seen and all(file.is_accessible is not False for file in files)) or None,
        )


def _told(device: RawDisk | None) -> tuple[str, ...]:
    """The files of a device's backing, from the top down."""
    return () if device is None else ((device.file or ""), *device.parents)


def _format(files: Iterable[RawFile]) -> str | None:
    for file in files:
        found = _FORMATS.get(file.name.rpartition("-")[2])
        if found is not None:
            return found
    return None


def _without_layout(machine: Machine, disk: RawDisk, stores: Stores) -> VirtualDisk:
    line = tuple(path for path in reversed(_told(disk)) if path)
    layers = (
        DiskLayer(
            path=path,
            datastore_id=stores.find(path, machine.datastores),
            size_bytes=None,
            role=LayerRole.BASE if at == 0 else LayerRole.DELTA,
        )
        for at, path in enumerate(line)
    )
    return VirtualDisk(
        id=str(disk.key), label=disk.label, capacity_bytes=disk.capacity, layers=tuple(layers)
    )
