"""Leaves out, before anything is parsed, the devices that are no disks: half of all bytes.

Wherever the bytes name the type of a disk in another way than expected, all devices from there on
stay in, and what reads the object finds that out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum, auto

from snapaudit.hypervisors.vsphere.soap.devices import DISK

_DEVICE, _END, _WORD = b"<VirtualDevice ", b"</VirtualDevice>", DISK.encode()
_DISK = re.compile(
    rb'<VirtualDevice(?: xmlns:[\w.-]+="[^"<>&]*")? [\w.-]+:type="(?:[\w.-]+:)?VirtualDisk">'
)


class Part(Enum):
    """What a part of an object's bytes holds."""

    FIELDS = auto()
    DISK = auto()


def parts(data: bytes) -> Iterator[tuple[Part, bytes]]:
    """The data in order, without the devices that are no disks."""
    at = data.find(_DEVICE)
    last = data.rfind(_END) + len(_END)
    if at < 0 or last < at:
        yield Part.FIELDS, data
        return
    yield Part.FIELDS, data[:at]
    while (named := data.find(_WORD, at, last)) >= 0:
        begin = data.rfind(_DEVICE, at, named)
        end = data.find(_END, named) + len(_END)
        if not _DISK.match(data, begin) or not _follows(data, at, begin):
            break
        yield Part.DISK, data[begin:end]
        at = end
    else:
        at = last
    yield Part.FIELDS, data[at:]


def _follows(data: bytes, at: int, begin: int) -> bool:
    """Whether what begins there follows the end of a device, or is where the devices begin."""
    return begin == at or data.endswith(_END, at, begin)
