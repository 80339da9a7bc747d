"""Takes out, before anything is parsed, what is large and has always the same form.

Devices that are no disks are left out: half of all bytes. The files of a layout are read by one
pattern. Whatever does not look exactly as expected stays in, and what reads the object finds it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from snapaudit.hypervisors.vsphere.raw import RawFile
from snapaudit.hypervisors.vsphere.soap.devices import DISK

_DEVICE, _END, _WORD = b"<VirtualDevice ", b"</VirtualDevice>", DISK.encode()
_DISK = re.compile(
    rb'<VirtualDevice(?: xmlns:[\w.-]+="[^"<>&]*")? [\w.-]+:type="(?:[\w.-]+:)?VirtualDisk">'
)
_BACKING = re.compile(
    rb'<backing(?: xmlns:[\w.-]+="[^"<>&]*")? [\w.-]+:type="(?:[\w.-]+:)?(\w+)">', re.ASCII
)
_LAYOUT = b'VirtualMachineFileLayoutEx"><file>'
_START = len(_LAYOUT) - len(b"<file>")
_NUMBER, _TEXT = rb"(-?\d{1,18})", rb"([^<&\x00-\x1f]+)"
_FILE = re.compile(
    rb"<file><key>%b</key><name>%b</name><type>(\w+)</type><size>%b</size>"
    rb"(?:<uniqueSize>%b</uniqueSize>)?(?:<backingObjectId>%b</backingObjectId>)?"
    rb"(?:<accessible>(true|false)</accessible>)?</file>"
    % (_NUMBER, _TEXT, _NUMBER, _NUMBER, _TEXT),
    re.ASCII,
)


class Files:
    """Files at the beginning of a layout, by their key."""

    __slots__ = ("by_key",)

    def __init__(self, by_key: dict[int, RawFile]) -> None:
        self.by_key = by_key


class Disk:
    """A mark before the bytes of one disk; ``backing`` is the name of its backing's type."""

    __slots__ = ("backing",)

    def __init__(self, backing: str) -> None:
        self.backing = backing


def parts(data: bytes, words: dict[bytes, str]) -> Iterator[bytes | Disk | Files]:
    """An object's bytes in order, with files read already, and of devices the disks alone.

    ``words`` keeps what many files have in common.
    """
    at = data.find(_LAYOUT)
    if at < 0:
        yield from _devices(data)
        return
    begin = at + _START
    end, files = _files(data, begin, words)
    yield data[:begin]
    yield files
    yield from _devices(data[end:])


def _files(data: bytes, at: int, words: dict[bytes, str]) -> tuple[int, Files]:
    """The files there that look as expected, up to the first that does not, and where that is."""
    found: dict[int, RawFile] = {}
    while match := _FILE.match(data, at):
        key, name, kind, size, unique, backing, accessible = match.groups()
        if kind not in words:
            words[kind] = kind.decode()
        number = int(key)
        found[number] = RawFile(
            number,
            name.decode(),
            words[kind],
            int(size),
            None if unique is None else int(unique),
            None if backing is None else backing.decode(),
            None if accessible is None else accessible == b"true",
        )
        at = match.end()
    return at, Files(found)


def _devices(data: bytes) -> Iterator[bytes | Disk]:
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
