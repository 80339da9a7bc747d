"""Gathered: the raw objects an inventory is made of, read in two phases.

Light paths of everything come first. Then every machine is asked for its files, since any of them
may be a linked clone of any other; its devices are asked for only where they matter.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from snapaudit.hypervisors.vsphere import paths
from snapaudit.hypervisors.vsphere.datastores import Stores
from snapaudit.hypervisors.vsphere.machine import Machine
from snapaudit.hypervisors.vsphere.names import is_delta
from snapaudit.hypervisors.vsphere.placement import Placement, placement
from snapaudit.hypervisors.vsphere.raw import RawLayout, RawObject
from snapaudit.hypervisors.vsphere.service import Service

_LAYOUT, _DEVICES = ("layoutEx",), ("config.hardware.device",)
_OF_OTHERS = ("name", "datastore", "runtime.connectionState", *_LAYOUT)
_MACHINES_ON = ("vm",)
_URL = "summary.url"


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """``machines`` are those to describe; ``others`` were read for their files alone.

    ``hidden`` are the references of machines that a datastore lists and that nobody may see.
    """

    machines: tuple[Machine, ...]
    others: tuple[Machine, ...] = ()
    hidden: tuple[str, ...] = ()
    around: tuple[RawObject, ...]

    @property
    def stores(self) -> Stores:
        """The visible datastores."""
        return Stores(one for one in self.around if one.kind == paths.DATASTORE)

    @property
    def placement(self) -> Placement:
        """What machines are filed in and run on."""
        return placement(one for one in self.around if one.kind != paths.DATASTORE)


def everything(service: Service, *, all_devices: bool) -> Gathered:
    """All that is visible. A machine that vanishes while it is read is left out."""
    machines, around = list[Machine](), list[RawObject]()
    for raw in service.read({paths.VIRTUAL_MACHINE: paths.LIGHT, **paths.AROUND}):
        if raw.kind == paths.VIRTUAL_MACHINE:
            machines.append(Machine(raw))
        else:
            around.append(raw)
    stores = [one.moid for one in around if one.kind == paths.DATASTORE]
    return Gathered(
        machines=tuple(_with_files(service, machines, all_devices=all_devices)),
        hidden=_hidden(service, stores, machines),
        around=tuple(around),
    )


def _with_files(
    service: Service, machines: Sequence[Machine], *, all_devices: bool
) -> Iterator[Machine]:
    first = {one.moid for one in machines if all_devices or _matters(one)}
    whole = _more(service, (one for one in machines if one.moid in first), paths.HEAVY)
    rest = _more(service, (one for one in machines if one.moid not in first), _LAYOUT)
    late = [one for one in rest if _has_chain(one.layout)]
    known = {one.moid: one for one in (*whole, *rest, *_more(service, late, _DEVICES))}
    yield from (known[one.moid] for one in machines if one.moid in known)


def _matters(machine: Machine) -> bool:
    """Whether snapshots or consolidation make its disks matter; an unset mark counts as one."""
    return machine.tree is not None or machine.flag("runtime.consolidationNeeded") is not False


def _has_chain(layout: RawLayout | None) -> bool:
    """Whether a disk stands on another image, or has the name of one that does."""
    if layout is None:
        return False
    tops = (key for disk in layout.disks for unit in disk.units[-1:] for key in unit)
    names = (layout.files[key].name for key in tops if key in layout.files)
    return any(len(disk.units) > 1 for disk in layout.disks) or any(map(is_delta, names))


def _more(
    service: Service, machines: Iterable[Machine], wanted: Sequence[str]
) -> tuple[Machine, ...]:
    """The machines with these paths besides; those that are gone by now are left out."""
    asked = {one.moid: one for one in machines}
    if not asked:
        return ()
    found = service.read_of(paths.VIRTUAL_MACHINE, tuple(asked), wanted)
    return tuple(asked[raw.moid].with_more(raw) for raw in found if raw.moid in asked)


def around_one(service: Service, vm_id: str) -> Gathered:
    """One machine as a whole, and the files of all that lie on the same volumes as it does.

    Without machines when it is gone.
    """
    wanted = (*paths.LIGHT, *paths.HEAVY)
    found = tuple(map(Machine, service.read_of(paths.VIRTUAL_MACHINE, [vm_id], wanted)))
    around = tuple(service.read(paths.AROUND))
    stores = _volumes_of(found, around)
    others = tuple(_others(service, found, stores))
    return Gathered(
        machines=found,
        others=others,
        hidden=_hidden(service, stores, (*found, *others)) if found else (),
        around=around,
    )


def _volumes_of(machines: Sequence[Machine], around: Iterable[RawObject]) -> tuple[str, ...]:
    """A volume that two datacenters mount is two datastores, each with machines of its own."""
    used = {moid for one in machines for moid in one.datastores}
    stores = [one for one in around if one.kind == paths.DATASTORE]
    urls = {one.values.get(_URL) for one in stores if one.moid in used} - {None}
    return tuple(one.moid for one in stores if one.moid in used or one.values.get(_URL) in urls)


def _others(
    service: Service, machines: Sequence[Machine], stores: Sequence[str]
) -> Iterator[Machine]:
    asked = sorted(_listed(service, stores) - {one.moid for one in machines})
    if asked:
        yield from map(Machine, service.read_of(paths.VIRTUAL_MACHINE, asked, _OF_OTHERS))


def _hidden(
    service: Service, stores: Sequence[str], machines: Iterable[Machine]
) -> tuple[str, ...]:
    """Machines that datastores list and that this account is not shown.

    One that came or went meanwhile is shown when asked for, or on no list any more.
    """
    known = {one.moid for one in machines}
    lacking = sorted(_listed(service, stores) - known)
    if not lacking:
        return ()
    shown = {one.moid for one in service.read_of(paths.VIRTUAL_MACHINE, lacking, ("name",))}
    return tuple(sorted((set(lacking) - shown) & _listed(service, stores)))


def _listed(service: Service, stores: Sequence[str]) -> set[str]:
    lists = service.read_of(paths.DATASTORE, stores, _MACHINES_ON) if stores else ()
    return {moid for one in lists for moid in Machine(one).words("vm")}
