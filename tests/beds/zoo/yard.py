"""Where the zoo is built: machines, images and snapshots under short names in one pool."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from xml.sax.saxutils import quoteattr

from tests.beds.guests import Guest, Life
from tests.beds.libvirtd import LibvirtBed
from tests.beds.zoo.records import FIRST_BYTES


class Yard:
    """A bed with a pool to build in. Its methods may be called by several threads."""

    def __init__(self, bed: LibvirtBed, pool: Path) -> None:
        self.bed, self.pool, self.sdk = bed, pool, bed.sdk

    def image(self, name: str, *, backing: Path | None = None) -> Path:
        """An image with its first bytes written, or an empty one over a backing file."""
        path = self.bed.create_image(self.pool / f"{name}.qcow2", backing=backing)
        if backing is None:
            self.bed.write_offline(path, 0, FIRST_BYTES)
        return path

    def machine(self, name: str, *images: Path, life: Life = Life.OFF) -> Guest:
        """A machine with these images, or with a new one of its own name."""
        return self.bed.define_vm(name, images or [self.image(name)], life=life)

    def overlay(self, guest: Guest, snapshot: str) -> Path:
        """The name libvirt gives to a first disk's overlay: the snapshot's as the suffix."""
        return self.pool / f"{guest.name}.{snapshot}"

    def internal(self, guest: Guest, name: str) -> Any:
        """An internal snapshot, with memory when the guest runs."""
        return self._snapshot(guest, name, "", 0)

    def external(
        self,
        guest: Guest,
        name: str,
        *,
        flags: int = 0,
        disks: Mapping[str, str] | None = None,
    ) -> Any:
        """A snapshot of disks only; ``disks`` says ``external`` or ``no`` for each that differs."""
        rows = "".join(
            f"<disk name='{disk}' snapshot='{how}'/>" for disk, how in (disks or {}).items()
        )
        disk_only = self.sdk.VIR_DOMAIN_SNAPSHOT_CREATE_DISK_ONLY
        return self._snapshot(
            guest, name, f"<disks>{rows}</disks>" if rows else "", disk_only | flags
        )

    def with_memory(self, guest: Guest, name: str) -> Path:
        """An external snapshot with the guest's memory; returns the memory's file."""
        file = self.pool / f"{guest.name}.{name}.mem"
        memory = f"<memory snapshot='external' file={quoteattr(str(file))}/>"
        self._snapshot(guest, name, memory, 0)
        return file

    def _snapshot(self, guest: Guest, name: str, inside: str, flags: int) -> Any:
        xml = f"<domainsnapshot><name>{name}</name>{inside}</domainsnapshot>"
        return guest.domain.snapshotCreateXML(xml, flags)
