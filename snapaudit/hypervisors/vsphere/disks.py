"""A machine's disks with their chains, as the model has them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from snapaudit.hypervisors.vsphere.chains import Chains, Unit
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
    for at, image in enumerate(line):
        known, troubles = weight(chains, image.unit)
        path = image.path or _told_path(device, len(line) - 1 - at)
        is_raw = image.disk in chains.raw_devices and at == 0
        yield DiskLayer(
            path=path or f"file {'+'.join(map(str, image.unit))} of {machine.moid}",
            datastore_id=stores.find(path, machine.datastores) if path else None,
            size_bytes=None if is_raw or troubles else known,
            role=image.role,
            snapshot_id=image.snapshot,
            format=_format(chains.files, image.unit),
            exists=_exists(chains.files, image.unit) if troubles else True,
        )


def _told_path(device: RawDisk | None, height: int) -> str | None:
    """The path that the device tells for the image so far below its top."""
    told = _told(device)
    return told[height] if height < len(told) else None


def _told(device: RawDisk | None) -> tuple[str, ...]:
    """The files of a device's backing, from the top down."""
    return () if device is None else ((device.file or ""), *device.parents)


def _format(files: Mapping[int, RawFile], unit: Unit) -> str | None:
    """By the name of its extent, which stands after its descriptor."""
    extent = files.get(unit[-1]) if unit else None
    return _FORMATS.get(extent.name.rpartition("-")[2]) if extent is not None else None


def _exists(files: Mapping[int, RawFile], unit: Unit) -> bool | None:
    """A server lists what it found when it looked; None for what it does not list or reach."""
    found = [files.get(key) for key in unit]
    is_seen = all(file is not None and file.is_accessible is not False for file in found)
    return True if is_seen and found else None


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
