"""Takes out, before anything is parsed, what is large and tells nothing: devices that are no disks.

They are half of all bytes. Whatever does not look exactly as expected stays in, and what reads the
object finds it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from snapaudit.hypervisors.vsphere.soap.devices import DISK

_DEVICE, _END, _WORD = b"<VirtualDevice ", b"</VirtualDevice>", DISK.encode()
_DISK = re.compile(
    rb'<VirtualDevice(?: xmlns:[\w.-]+="[^"<>&]*")? [\w.-]+:type="(?:[\w.-]+:)?VirtualDisk">'
)
_BACKING = re.compile(
    rb'<backing(?: xmlns:[\w.-]+="[^"<>&]*")? [\w.-]+:type="(?:[\w.-]+:)?(\w+)">', re.ASCII
)


class Disk:
    """A mark before the bytes of one disk; ``backing`` is the name of its backing's type."""

    __slots__ = ("backing",)

    def __init__(self, backing: str) -> None:
        self.backing = backing


def parts(data: bytes) -> Iterator[bytes | Disk]:
    """An object's bytes in order, and of its devices the disks alone."""
    at = data.find(_DEVICE)
    last = data.rfind(_END) + len(_END)
    if at < 0 or last < at:
        yield data
        return
    yield data[:at]
    while (named := data.find(_WORD, at, last)) >= 0:
        begin = data.rfind(_DEVICE, at, named)
        end = data.find(_END, named) + len(_END)
        backing = _BACKING.search(data, begin, end)
        if not backing or not _DISK.match(data, begin) or not _follows(data, at, begin):
            break
        yield Disk(backing[1].decode())
        yield data[begin:end]
        at = end
    else:
        at = last
    yield data[at:]


def _follows(data: bytes, at: int, begin: int) -> bool:
    """Whether what begins there follows the end of a device, or is where the devices begin."""
    return begin == at or data.endswith(_END, at, begin)
