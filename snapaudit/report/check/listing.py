"""Listing: every object that was seen, one a line, sorted: what SARIF and GitLab point into.

A finding about a snapshot has no line of source. The line of the object in this list is its place;
the list can be written beside the report, and compared from run to run.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from snapaudit.model.finding import Audit, Subject
from snapaudit.model.inventory import Inventory, VirtualMachine
from snapaudit.model.policy import SubjectKind
from snapaudit.report.escape import plain, shorten

FILE = "snapaudit-inventory.txt"
_HEAD = "# Every object that snapaudit saw, sorted; findings point to these lines."
_WIDEST = 200
_Key = tuple[str, SubjectKind, str | None, str]


class Listing:
    """The lines, and the number of the line that a subject stands on."""

    def __init__(self, objects: Iterable[tuple[_Key, str]]) -> None:
        self.lines = [_HEAD]
        self._places: dict[_Key, int] = {}
        for key, line in objects:
            self.lines.append(shorten(plain(line), _WIDEST))
            self._places[key] = len(self.lines)

    def line_of(self, subject: Subject) -> int:
        """From 1. What is not in the list is on the line of its machine, or else on the first."""
        about = (subject.endpoint, subject.kind, subject.vm_id, subject.id)
        kind = SubjectKind.VIRTUAL_MACHINE
        machine = (subject.endpoint, kind, subject.vm_id, subject.vm_id or "")
        return self._places.get(about) or self._places.get(machine) or 1

    @property
    def text(self) -> str:
        """The file."""
        return "".join(f"{line}\n" for line in self.lines)


def listing(audit: Audit) -> Listing:
    """The list of everything that was seen, and of the exemptions; equal views give equal lists."""
    return Listing((*_objects(audit.inventories), *_exemptions(audit)))


def _exemptions(audit: Audit) -> Iterator[tuple[_Key, str]]:
    for one in sorted(audit.exemptions, key=lambda one: one.id):
        yield _entry("", SubjectKind.EXEMPTION, None, one.id, one.id)


def _objects(inventories: Iterable[Inventory]) -> Iterator[tuple[_Key, str]]:
    for seen in sorted(inventories, key=lambda one: one.endpoint):
        at = seen.endpoint
        yield (at, SubjectKind.ENDPOINT, None, at), f"endpoint {at} ({seen.hypervisor})"
        for store in sorted(seen.datastores, key=lambda one: (one.name, one.id)):
            yield _entry(at, SubjectKind.DATASTORE, None, store.id, f"{at}: {store.name}")
        for vm in sorted(seen.virtual_machines, key=lambda one: (one.name, one.id)):
            yield from _machine(at, vm)
        for stray in sorted(seen.strays, key=lambda one: (one.path, one.id)):
            yield _entry(at, SubjectKind.FILE, None, stray.id, f"{at}: {stray.path}")


def _machine(at: str, vm: VirtualMachine) -> Iterator[tuple[_Key, str]]:
    yield _entry(at, SubjectKind.VIRTUAL_MACHINE, vm.id, vm.id, f"{at}: {vm.name}")
    for one in sorted(vm.snapshots, key=lambda one: (one.name, one.id)):
        name = f"{at}: {vm.name} / {one.name}"
        yield _entry(at, SubjectKind.SNAPSHOT, vm.id, one.id, name)


def _entry(
    at: str, kind: SubjectKind, vm_id: str | None, own_id: str, name: str
) -> tuple[_Key, str]:
    return (at, kind, vm_id, own_id), f"{kind} {name} [{own_id}]"
