"""A machine's raw properties as a VirtualMachine with its Snapshots: pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from snapaudit.hypervisors.vsphere import activity, consolidation, identity, protections, sizes
from snapaudit.hypervisors.vsphere import chains as chained
from snapaudit.hypervisors.vsphere.chains import Chains
from snapaudit.hypervisors.vsphere.disks import virtual_disks
from snapaudit.hypervisors.vsphere.machine import Machine
from snapaudit.hypervisors.vsphere.names import decoded
from snapaudit.hypervisors.vsphere.placement import Placement
from snapaudit.hypervisors.vsphere.protections import Filed, Surroundings
from snapaudit.hypervisors.vsphere.raw import NO_FILE, RawSnapshot
from snapaudit.hypervisors.vsphere.traits import traits
from snapaudit.model.inventory import Attribute, ByteRange, PowerState, Snapshot, VirtualMachine

_STATES = {
    "poweredOn": PowerState.ON,
    "poweredOff": PowerState.OFF,
    "suspended": PowerState.SUSPENDED,
}
_WITH_MEMORY = frozenset({"poweredOn", "suspended"})
_NO_LAYOUT = "nobody tells which files the machine has"


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What a machine is translated with: its surroundings, and what others told of it.

    ``tags`` are by machine, ``creators`` by snapshot, ``fields`` the custom attributes' names.
    """

    around: Surroundings
    placement: Placement
    manager_id: str | None
    fields: Mapping[int, str] = field(default_factory=dict)
    tags: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    creators: Mapping[str, str] = field(default_factory=dict)


def virtual_machine(machine: Machine, context: Context) -> VirtualMachine:
    """One machine with everything that is known of it."""
    around = context.around
    chains = _chains(machine)
    images = consolidation.images(machine, chains, around.others) if chains is not None else None
    filed = Filed(
        folders=context.placement.folders(machine),
        tags=context.tags.get(machine.moid, ()),
        attributes=attributes(machine, context.fields),
    )
    whole = _once(protections.of_machine(machine, chains, images, filed, around))
    host = machine.text("runtime.host")
    return VirtualMachine(
        id=machine.moid,
        name=machine.name,
        host_id=host if host in context.placement.objects else None,
        power_state=_STATES.get(machine.text("runtime.powerState") or "", PowerState.UNKNOWN),
        disks=virtual_disks(machine, chains, images, around.stores),
        snapshots=tuple(_snapshots(machine, chains, whole, context)),
        current_snapshot_id=_current(machine),
        consolidation_needed=consolidation.is_needed(machine, images),
        busy=activity.is_busy(machine, around.tasks),
        is_template=machine.flag("config.template") is True,
        tags=filed.tags,
        notes=machine.text("config.annotation") or "",
        folder="/".join(filed.folders) or None,
        attributes=filed.attributes,
        traits=tuple(traits(machine)),
        protections=whole,
        consolidation_protections=_once(consolidation.protections(machine, images, around.others)),
        consolidation_doubt=consolidation.doubt(images),
    )


def _chains(machine: Machine) -> Chains | None:
    layout = machine.layout
    if layout is None:
        return None
    return chained.build(layout, machine.tree, machine.devices or ())


def _once(found: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(found))


def _current(machine: Machine) -> str | None:
    """The snapshot it stands on; one that the tree does not hold is none."""
    tree = machine.tree
    if tree is None or all(one.moid != tree.current for one in tree.snapshots):
        return None
    return tree.current


def attributes(machine: Machine, fields: Mapping[int, str]) -> tuple[Attribute, ...]:
    """The custom attributes under their names; a key whose name is not told stands for itself."""
    pairs = machine.raw.values.get("customValue")
    return tuple(
        Attribute(name=fields.get(pair[0], f"attribute {pair[0]}"), value=str(pair[1]))
        for pair in (pairs if isinstance(pairs, tuple) else ())
        if isinstance(pair, tuple)
    )


def _snapshots(
    machine: Machine, chains: Chains | None, whole: tuple[str, ...], context: Context
) -> Iterable[Snapshot]:
    tree = machine.tree
    for one in tree.snapshots if tree is not None else ():
        yield _snapshot(one, machine, chains, whole, context)


def _snapshot(
    one: RawSnapshot,
    machine: Machine,
    chains: Chains | None,
    whole: tuple[str, ...],
    context: Context,
) -> Snapshot:
    size = sizes.of_snapshot(chains, one.moid) if chains is not None else _UNKNOWN
    found = protections.of_snapshot(one, machine, chains, size, context.around)
    return Snapshot(
        id=one.moid,
        name=decoded(one.name),
        description=one.description,
        kind="snapshot",
        created_at=one.created_at,
        parent_id=one.parent,
        power_state=_STATES.get(one.state, PowerState.UNKNOWN),
        has_memory=_has_memory(one, chains),
        size_bytes=size.growth.size,
        pinned_bytes=size.pinned.size,
        reclaimable_bytes=size.reclaimable,
        is_quiesced=one.quiesced,
        creator=context.creators.get(one.moid),
        protections=_once((*whole, *found)),
        identity=identity.of_snapshot(
            context.manager_id,
            machine.text("config.instanceUuid"),
            machine.text("config.uuid"),
            one,
        ),
    )


_NOTHING = sizes.Measure(0, (_NO_LAYOUT,))
_UNKNOWN = sizes.SnapshotSize(
    growth=_NOTHING,
    pinned=_NOTHING,
    frozen=_NOTHING,
    reclaimable=ByteRange(min=0, max=None, basis=sizes.unknown(_NOTHING)),
)


def _has_memory(snapshot: RawSnapshot, chains: Chains | None) -> bool | None:
    """By its memory file; before there was one, memory lay inside the state file.

    A snapshot that was made without memory says that the machine was off.
    """
    record = chains.records.get(snapshot.moid) if chains is not None else None
    if record is not None and record.memory_key != NO_FILE:
        return True
    return snapshot.state in _WITH_MEMORY if snapshot.state in _STATES else None
