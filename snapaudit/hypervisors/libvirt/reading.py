"""One look at a host for the sake of one machine, and the questions that acting asks of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from snapaudit.hypervisors.libvirt import definitions, xml
from snapaudit.hypervisors.libvirt.consolidation import Layer, layer
from snapaudit.hypervisors.libvirt.definitions import Mirror
from snapaudit.hypervisors.libvirt.machine import Machine
from snapaudit.hypervisors.libvirt.parsed import Domain
from snapaudit.hypervisors.libvirt.qcow2 import Qcow2Error, read_header
from snapaudit.hypervisors.libvirt.snapshots import external_disks
from snapaudit.hypervisors.libvirt.translate import View
from snapaudit.hypervisors.libvirt.xml import SnapshotXml
from snapaudit.model.inventory import Inventory


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What was seen. ``is_local``: the images are files of this machine."""

    view: View
    inventory: Inventory
    uuid: str
    is_local: bool

    @property
    def machine(self) -> Machine | None:
        """The machine in question; None when it is gone."""
        return self.view.around.machines.get(self.uuid)

    @property
    def version(self) -> int:
        """libvirt's, as a number: 9.0.0 is 9000000."""
        return self.view.around.version

    def resolve(self, path: str) -> str:
        """One name for one file."""
        return self.view.around.graph.resolve(path)

    def snapshot(self, name: str) -> SnapshotXml | None:
        """A snapshot of the machine by its name."""
        found = self.machine.domain.snapshots if self.machine else ()
        return next((snapshot for snapshot in found if snapshot.name == name), None)

    def overlays(self, snapshot: SnapshotXml) -> list[tuple[str, str]]:
        """Disk and overlay of each disk that takes part with a file of its own."""
        graph = self.view.around.graph
        return [(disk.target, path) for disk, path in external_disks(snapshot, graph)]

    def layer(self, target: str, overlay: str) -> Layer | None:
        """Where an overlay stands in its disk's chain; None when it no longer does."""
        held = self.machine.disk(target) if self.machine else None
        return layer(held, overlay) if held is not None else None

    def mirror(self, target: str) -> Mirror | None:
        """The block job on a disk."""
        return definitions.mirror(self._domain_text, target)

    @property
    def _domain_text(self) -> str:
        return self.machine.domain.raw["xml"] if self.machine else ""

    @property
    def is_running(self) -> bool:
        """Whether a QEMU holds the images open."""
        return self.machine is not None and self.machine.domain.is_running

    def used(self, path: str) -> int | None:
        """Bytes an image occupies; None when nobody told."""
        return self.view.around.images.used(path)

    def is_file(self, path: str) -> bool:
        """Whether an image is a file of this machine that is there."""
        facts = self.view.around.images.files.look(path)
        return self.is_local and facts.exists is True and not facts.is_device

    def mark(self, path: str) -> str | None:
        """What tells this file from another of its name."""
        return self.view.around.images.files.look(path).mark

    def is_device(self, path: str) -> bool:
        """Whether an image is a block device."""
        return self.view.around.images.facts(path).is_device

    def base_format(self, overlay: str) -> str | None:
        """The format of the image below, as the overlay itself names it: never guessed."""
        source = self.view.around.images.files.open(overlay)
        if isinstance(source, str):
            return None
        try:
            return read_header(source).backing_format
        except (Qcow2Error, OSError):
            return None

    @property
    def definition(self) -> str:
        """What the next start of the machine would use."""
        raw = self.machine.domain.raw if self.machine else None
        return (raw["inactive_xml"] or raw["xml"]) if raw else ""

    def naming(self, overlay: str, *, but: str | None) -> Iterator[SnapshotXml]:
        """The machine's snapshots that hold a definition with that image, ``but`` one of them."""
        for snapshot, text in self._texts(self.machine.domain) if self.machine else ():
            if snapshot.name != but and definitions.names(text, overlay, self.resolve):
                yield snapshot

    def _texts(self, domain: Domain) -> Iterator[tuple[SnapshotXml, str]]:
        for text in domain.raw["snapshots"]:
            yield xml.snapshot(text), text

    def is_unused(self, path: str, *, but: str | None) -> bool:
        """Whether nothing stands on a file or names it, ``but`` one snapshot of this machine."""
        graph, machines = self.view.around.graph, self.view.around.machines.values()
        if any(graph.backing.get(child) == path for child in graph.children.get(path, ())):
            return False
        if graph.tops.get(path) or any(path in machine.images for machine in machines):
            return False
        return not any(self._names(machine, path, but) for machine in machines)

    def _names(self, machine: Machine, path: str, but: str | None) -> bool:
        named = {file for one in machine.domain.definitions for file in one.files if file}
        ours = machine.uuid == self.uuid
        for snapshot, text in self._texts(machine.domain):
            if ours and snapshot.name == but:
                continue
            if definitions.names(text, path, self.resolve):
                return True
            named |= {disk.overlay for disk in snapshot.disks if disk.overlay}
            named |= {snapshot.memory_file} if snapshot.memory_file else set()
        return path in {self.resolve(file) for file in named}
