"""Why a snapshot must not be deleted, each as ``word: sentence``; all that hold are reported.

vSphere refuses few of these deletions itself. `docs/hypervisors/vsphere.md` has the table.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from snapaudit.hypervisors.vsphere import activity, optout
from snapaudit.hypervisors.vsphere.chains import Chains
from snapaudit.hypervisors.vsphere.clones import Index
from snapaudit.hypervisors.vsphere.consolidation import Image
from snapaudit.hypervisors.vsphere.datastores import Stores
from snapaudit.hypervisors.vsphere.machine import Machine
from snapaudit.hypervisors.vsphere.names import decoded
from snapaudit.hypervisors.vsphere.raw import RawFork, RawManagedBy, RawObject, RawSnapshot
from snapaudit.hypervisors.vsphere.sizes import SnapshotSize, unknown
from snapaudit.model.inventory import Attribute, LayerRole

CONNECTED = "connected"
SUSPENDED = "suspended"
_NO_FT = "notConfigured"
_SHARING = "sharingNone"
_FROZEN = ("runtime.instantCloneFrozen", "runtime.quiescedForkParent")
_HORIZON_NAMES = ("cp-template-", "cp-replica-", "cp-parent-")
_HORIZON_FOLDERS = frozenset(
    {
        "ClonePrepInternalTemplateFolder",
        "ClonePrepReplicaVmFolder",
        "ClonePrepParentVmFolder",
        "ClonePrepResyncVmFolder",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What protections are judged from besides the machine itself.

    ``now`` is the server's time, ``resting_hosts`` are those in maintenance mode with their names.
    """

    stores: Stores
    others: Index
    tasks: Mapping[str, RawObject]
    now: datetime
    is_vcenter: bool
    resting_hosts: Mapping[str, str] = field(default_factory=dict)
    allowed_managers: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Filed:
    """Where people put a machine, and what they wrote on it."""

    folders: tuple[str, ...]
    tags: tuple[str, ...]
    attributes: tuple[Attribute, ...]


def of_machine(
    machine: Machine,
    chains: Chains | None,
    images: Mapping[int, tuple[Image, ...]] | None,
    filed: Filed,
    around: Surroundings,
) -> Iterator[str]:
    """What forbids every change to the chains of this machine."""
    if machine.flag("config.template"):
        yield "template: it is a template"
    yield from _clone_parent(machine, chains, images or {}, around)
    yield from _instant_clone(machine)
    yield from _products(machine, filed, around)
    yield from _activity(machine, around)
    yield from _state(machine, around)
    yield from _devices(machine)
    yield from _opted_out(machine, filed, around.now)
    yield from _unknown(machine, around)


def _clone_parent(
    machine: Machine,
    chains: Chains | None,
    images: Mapping[int, tuple[Image, ...]],
    around: Surroundings,
) -> Iterator[str]:
    """A golden image looks like an ordinary machine, and any of its snapshots may be in use."""
    if chains is None or not around.others.shares(machine):
        return
    foreign = {
        key
        for line in images.values()
        for image in line
        if image.role is LayerRole.TEMPLATE
        for key in image.unit
    }
    found = dict[tuple[str, ...], str]()
    for key in sorted(_chain_keys(chains) - foreign):
        path = chains.files[key].name if key in chains.files else ""
        top = around.others.others_at_top(machine, path)
        if top:
            found.setdefault(
                top, f"backup-running: {around.others.named(top)} has {path} attached too"
            )
        below = tuple(set(around.others.others(machine, path)) - set(top))
        if below:
            named = around.others.named(below)
            found.setdefault(below, f"clone-parent: {named} stands on {path}")
    yield from found.values()


def _chain_keys(chains: Chains) -> set[int]:
    every = (chains.now, *chains.frozen.values())
    return {key for disks in every for units in disks.values() for unit in units for key in unit}


def _instant_clone(machine: Machine) -> Iterator[str]:
    if is_instant_clone(machine):
        yield "instant-clone: it is part of an instant-clone group, which shares memory and disks"


def is_instant_clone(machine: Machine) -> bool:
    """Whether it is a parent or child of instant clones."""
    fork = machine.raw.values.get("config.forkConfigInfo")
    is_forked = isinstance(fork, RawFork) and bool(
        fork.parent_enabled or fork.parent_group or fork.child_group
    )
    return is_forked or any(machine.flag(path) for path in _FROZEN)


def manager_of(machine: Machine) -> str | None:
    """The extension key of the product that a machine belongs to."""
    found = machine.raw.values.get("config.managedBy")
    return found.extension_key if isinstance(found, RawManagedBy) else None


def is_fault_tolerant(machine: Machine) -> bool:
    """Whether a second machine runs along with it."""
    return machine.text("runtime.faultToleranceState") not in (None, "", _NO_FT)


def is_replicated(machine: Machine) -> bool:
    """Whether it is replicated from host to host."""
    return machine.raw.values.get("config.repConfig") is not None


def _products(machine: Machine, filed: Filed, around: Surroundings) -> Iterator[str]:
    key = manager_of(machine)
    if key is not None and key not in around.allowed_managers:
        yield f"managed-by: it belongs to {key or 'a product without a name'}"
    name = machine.name.casefold()
    if name.startswith(_HORIZON_NAMES):
        yield "horizon: its name is one that Horizon gives to machines of its own"
    for folder in _HORIZON_FOLDERS.intersection(filed.folders):
        yield f"horizon: it lies in Horizon's own folder {folder}"
    if is_replicated(machine):
        yield "replicated: a replication keeps track of its disks"
    if is_fault_tolerant(machine):
        yield "fault-tolerant: a second machine runs along with it"


def _activity(machine: Machine, around: Surroundings) -> Iterator[str]:
    yield from (f"busy: {reason}" for reason in activity.reasons(machine, around.tasks))
    found = activity.disabled(machine, is_vcenter=around.is_vcenter)
    yield from (f"method-disabled: {reason}" for reason in found)
    young = activity.young_backups(machine, around.now)
    yield from (f"backup-running: {reason}" for reason in young)


def _state(machine: Machine, around: Surroundings) -> Iterator[str]:
    connection = machine.text("runtime.connectionState")
    if connection != CONNECTED:
        yield f"not-connected: its host says {connection or 'nothing'} of it"
    if machine.text("runtime.powerState") == SUSPENDED:
        yield "suspended: its saved memory belongs to the chain as it is now"
    if machine.tree is not None and machine.tree.current is None:
        yield "running-point: nobody tells which snapshot the running machine stands on"
    host = around.resting_hosts.get(machine.text("runtime.host") or "")
    if host is not None:
        yield f"maintenance: its host {host} is in maintenance mode"
    for moid in machine.datastores:
        if around.stores.in_maintenance(moid):
            yield f"maintenance: datastore {around.stores.name(moid)} is in maintenance mode"


def _devices(machine: Machine) -> Iterator[str]:
    for disk in machine.devices or ():
        if disk.sharing not in (None, "", _SHARING):
            yield f"shared-disk: {disk.label} may be written by several machines at once"
        if disk.rdm == "physicalMode":
            yield f"raw-device: {disk.label} is a LUN that the guest drives itself"


def _opted_out(machine: Machine, filed: Filed, now: datetime) -> Iterator[str]:
    places = (
        ("its name", machine.name),
        ("its notes", machine.text("config.annotation") or ""),
        *((f"tag {tag}", tag) for tag in filed.tags),
    )
    yield from optout.in_texts(places, now)
    yield from optout.in_attributes(filed.attributes, now)


def _unknown(machine: Machine, around: Surroundings) -> Iterator[str]:
    missing = activity.unread_paths(machine)
    if missing is not None:
        yield f"unread: not all of it could be read ({missing})"
    if machine.layout is None:
        yield "unread: nobody tells which files it has"
    blindness = around.others.blindness(machine)
    if blindness is not None:
        yield f"unread-others: {blindness}, so nobody can tell whether they stand on its disks"


def of_snapshot(
    snapshot: RawSnapshot,
    machine: Machine,
    chains: Chains | None,
    size: SnapshotSize,
    around: Surroundings,
) -> Iterator[str]:
    """What forbids deleting this one, beside what holds for its whole machine."""
    if chains is not None:
        yield from _touched(snapshot, machine, chains, around.others)
    if size.growth.size is None:
        yield f"unknown-size: its size is {unknown(size.growth)}"
    name = decoded(snapshot.name)
    places = ((f"the name of snapshot {name}", name), ("its description", snapshot.description))
    yield from optout.in_texts(places, around.now)


def _touched(
    snapshot: RawSnapshot, machine: Machine, chains: Chains, others: Index
) -> Iterator[str]:
    """Deleting it writes into the top of what it froze and takes away what was written since."""
    if not others.shares(machine):
        return
    touched = {key for one in chains.above(snapshot.moid) for unit in one.units for key in unit}
    tops = (units[-1:] for units in chains.frozen_by(snapshot.moid).values())
    touched.update(key for units in tops for unit in units for key in unit)
    for key in sorted(touched):
        file = chains.files.get(key)
        users = others.others(machine, file.name) if file is not None else ()
        if file is not None and users:
            yield f"shared-backing: {others.named(users)} also stands on {file.name}"
