"""The value of ``config.hardware.device``: the disks out of all devices."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from xml.etree.ElementTree import Element

from snapaudit.hypervisors.vsphere.raw import RawDisk
from snapaudit.hypervisors.vsphere.soap.fault import Malformed, local, type_of
from snapaudit.hypervisors.vsphere.soap.stream import Stream
from snapaudit.hypervisors.vsphere.soap.values import flag

DEVICE = "VirtualDevice"
_DISK = "VirtualDisk"


class DeviceReader:
    """Reads the inside of one value after the other; what is no disk is passed over."""

    def __init__(self, stream: Stream, done: Callable[[tuple[RawDisk, ...]], None]) -> None:
        self._stream, self._done = stream, done
        self._disks: list[RawDisk] = []

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """A device begins."""
        if name != DEVICE:
            raise Malformed(f"the list of devices holds {name!r}")
        for value in attributes.values():
            if local(value) == _DISK:
                self._stream.tree(name, attributes, self._disk)
                return
        self._stream.skip(name)

    def _disk(self, element: Element) -> None:
        self._disks.append(disk_of(element))

    def end(self, name: str) -> None:
        """The list ends."""
        if name != "val":
            raise Malformed(f"the list of devices is closed by {name!r}")
        disks, self._disks = tuple(self._disks), []
        self._stream.leave()
        self._done(disks)


def disk_of(element: Element) -> RawDisk:
    """From a VirtualDisk with whatever backing."""
    backing = element.find("backing")
    if backing is None:
        backing = Element("backing")
    get = backing.findtext
    return RawDisk(
        key=int(element.findtext("key", "")),
        label=element.findtext("deviceInfo/label", ""),
        capacity=_capacity(element),
        backing=type_of(backing) or "",
        file=get("fileName"),
        datastore=get("datastore"),
        mode=get("diskMode"),
        parents=tuple(_parents(backing)),
        thin=flag(backing, "thinProvisioned"),
        rdm=get("compatibilityMode"),
        sharing=get("sharing"),
    )


def _capacity(element: Element) -> int | None:
    exact, rounded = element.findtext("capacityInBytes"), element.findtext("capacityInKB")
    if exact:
        return int(exact)
    return int(rounded) * 1024 if rounded else None


def _parents(backing: Element) -> Iterator[str]:
    below = backing.find("parent")
    while below is not None:
        yield below.findtext("fileName", "")
        below = below.find("parent")
