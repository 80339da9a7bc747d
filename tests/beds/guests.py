"""A guest of the bed: a machine without an operating system, its disks written from outside."""

from __future__ import annotations

import importlib
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from enum import Enum
from pathlib import Path
from string import ascii_lowercase
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from tests.beds.processes import wait_until

_WITHIN = 10.0


class Life(Enum):
    """What becomes of a machine once it is described."""

    OFF = "defined and off"
    RUNNING = "defined and running"
    TRANSIENT = "running and forgotten when it ends"


def guest_xml(name: str, disks: Sequence[Path], *, emulator: str, domain_type: str) -> str:
    """The description of a minimal machine; QEMU starts it in a third of a second."""
    devices = "".join(
        _disk_xml(path, f"vd{letter}") for path, letter in zip(disks, ascii_lowercase, strict=False)
    )
    return (
        f"<domain type='{domain_type}'><name>{escape(name)}</name><memory unit='MiB'>64</memory>"
        "<vcpu>1</vcpu><os><type arch='x86_64' machine='pc'>hvm</type></os>"
        f"<devices><emulator>{emulator}</emulator>{devices}"
        "<controller type='usb' model='none'/><memballoon model='none'/></devices></domain>"
    )


def _disk_xml(path: Path, target: str) -> str:
    return (
        "<disk type='file' device='disk'><driver name='qemu' type='qcow2'/>"
        f"<source file={quoteattr(str(path))}/><target dev='{target}' bus='virtio'/>"
        f"<serial>{target}</serial></disk>"
    )


class Guest:
    """A domain, what its disks are made of, and the means to write to them while it runs."""

    def __init__(self, sdk: Any, domain: Any, log: Path) -> None:
        self._sdk, self.domain, self._log = sdk, domain, log
        self.name: str = domain.name()

    def write(self, target: str, offset: int, length: int, pattern: int = 1) -> None:
        """Write to a disk of the running guest, as the guest itself would, and flush it.

        OSError with QEMU's own words when the write failed; the monitor's answer does not tell.
        """
        before = self._log.stat().st_size
        self._qemu_io(target, f"write -P {pattern} {offset} {length}")
        wait_until(lambda: self._said_since(before) != "", _WITHIN, "the write is answered")
        if not (said := self._said_since(before)).startswith("wrote"):
            raise OSError(f"{target} of {self.name}, {length} bytes at {offset}: {said}")
        self._qemu_io(target, "flush")

    def disk(self, target: str) -> ET.Element:
        """A disk in the present description: live while the guest runs."""
        for disk in ET.XML(self.domain.XMLDesc()).iterfind("devices/disk"):
            if (found := disk.find("target")) is not None and found.get("dev") == target:
                return disk
        raise LookupError(f"{self.name} has no disk {target}")

    def chain(self, target: str = "vda") -> list[Path]:
        """The images of a disk, base first, as far as the description tells them."""
        found = []
        level: ET.Element | None = self.disk(target)
        while level is not None and (source := level.find("source")) is not None:
            found.append(Path(source.get("file", "")))
            level = level.find("backingStore")
        return found[::-1]

    def commit_until_ready(self, target: str = "vda") -> None:
        """Copy the top image into the one below and stop short of the switch."""
        flags = self._sdk.VIR_DOMAIN_BLOCK_COMMIT_ACTIVE | self._sdk.VIR_DOMAIN_BLOCK_COMMIT_SHALLOW
        self.domain.blockCommit(target, None, None, 0, flags)
        wait_until(lambda: self._mirror_is_ready(target), _WITHIN, "the copy is complete")

    def _mirror_is_ready(self, target: str) -> bool:
        mirror = self.disk(target).find("mirror")
        return mirror is not None and mirror.get("ready") == "yes"

    def _qemu_io(self, target: str, command: str) -> None:
        alias = self.disk(target).find("alias")
        device = "" if alias is None else alias.get("name", "")
        monitor = importlib.import_module("libvirt_qemu")
        monitor.qemuMonitorCommand(
            self.domain,
            f'qemu-io -d /machine/peripheral/{device}/virtio-backend "{command}"',
            monitor.VIR_DOMAIN_QEMU_MONITOR_COMMAND_HMP,
        )

    def _said_since(self, offset: int) -> str:
        """What QEMU said about a write, in whole lines of its log."""
        with self._log.open("rb") as log:
            log.seek(offset)
            lines = log.read().decode(errors="replace").splitlines(keepends=True)
        return "".join(line for line in lines if line.startswith("wr") and line.endswith("\n"))
