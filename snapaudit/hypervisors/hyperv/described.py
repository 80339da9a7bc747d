"""A machine with its disks and checkpoints as records of the model."""

from __future__ import annotations

from collections.abc import Iterator

from snapaudit.hypervisors.hyperv import chains, identity, kinds, protections, sizes, statuses
from snapaudit.hypervisors.hyperv.chains import Disk, Machine
from snapaudit.hypervisors.hyperv.images import Images
from snapaudit.hypervisors.hyperv.protections import Surroundings
from snapaudit.hypervisors.hyperv.rows import CheckpointRow, MachineRow
from snapaudit.model.inventory import (
    DiskLayer,
    LayerRole,
    PowerState,
    Snapshot,
    VirtualDisk,
    VirtualMachine,
)

# States of a checkpoint: with the memory of the running machine, or as one that is off.
_WITH_MEMORY = frozenset({statuses.RUNNING, statuses.SAVED, statuses.PAUSED, 32779})


def virtual_machine(machine: Machine, around: Surroundings) -> VirtualMachine:
    """A machine with everything that forbids to change it."""
    row = machine.found.row
    whole = tuple(dict.fromkeys(protections.of_machine(machine, around)))
    listed = [_snapshot(cp, machine, around, whole) for cp in machine.found.checkpoints]
    ids = {snapshot.id for snapshot in listed}
    current = row.parent_checkpoint
    return VirtualMachine(
        id=row.id,
        name=row.name,
        host_id=machine.found.node,
        power_state=statuses.STATES.get(row.state, PowerState.UNKNOWN),
        disks=tuple(_disk(disk, machine, around) for disk in machine.disks),
        snapshots=tuple(sorted(listed, key=_by_age)),
        current_snapshot_id=current if current in ids else None,
        consolidation_needed=_needs_consolidation(machine, around),
        busy=_is_busy(machine),
        is_template=_is_template(machine, around.images),
        notes=row.notes,
        traits=tuple(_traits(machine, around.images)),
        protections=whole,
    )


def _by_age(snapshot: Snapshot) -> tuple[bool, str, str]:
    at = snapshot.created_at
    return (at is None, at.isoformat() if at else "", snapshot.id)


def _is_busy(machine: Machine) -> bool | None:
    if any(True for _ in protections.busy_reasons(machine)):
        return True if machine.found.row.statuses else None
    return False


def _needs_consolidation(machine: Machine, around: Surroundings) -> bool | None:
    """Hyper-V has no such mark: it is read off chains that the checkpoints do not explain."""
    if not protections.is_told(machine, around):
        return None
    if machine.strays:
        return True
    is_known = not machine.unexplained and not any(chain.trouble for chain in machine.chains)
    return False if is_known else None


def _is_template(machine: Machine, files: Images) -> bool:
    """Whether disks of other machines stand on an image that is this machine's own."""
    ours = machine.keys
    own = (chains.own(disk) for disk in machine.disks)
    return any(child not in ours for keys in own for key in keys for child in files.on(key))


def _traits(machine: Machine, files: Images) -> Iterator[str]:
    row = machine.found.row
    if row.version:
        yield f"configuration-version: {row.version}"
    yield from (word for word, holds in _words(row).items() if holds)
    for drive in row.drives:
        if not drive.path and drive.disk_number is not None:
            yield f"pass-through: {chains.label(drive)} is disk {drive.disk_number} of its host"
    for disk in machine.disks:
        gold = [key for key in disk.chain.keys if key not in chains.own(disk)]
        if gold:
            yield f"gold-image: {disk.label} stands on {files.by_key[gold[-1]].path}"


def _words(row: MachineRow) -> dict[str, bool]:
    return {
        "clustered": bool(row.is_clustered),
        "replicated": row.replication == statuses.PRIMARY,
        "automatic-checkpoints": bool(row.automatic_checkpoints),
        "merging-off": bool(row.merging_disabled),
    }


def _disk(disk: Disk, machine: Machine, around: Surroundings) -> VirtualDisk:
    files = around.images
    roles = chains.roles(disk, machine, is_told=protections.is_told(machine, around))
    return VirtualDisk(
        id=disk.label,
        label=disk.label,
        capacity_bytes=files.by_key[disk.chain.top].capacity_bytes,
        layers=tuple(
            _layer(key, role, machine, around)
            for key, role in zip(disk.chain.keys, roles, strict=True)
        ),
    )


def _layer(key: str, role: LayerRole, machine: Machine, around: Surroundings) -> DiskLayer:
    image = around.images.by_key[key]
    return DiskLayer(
        path=image.path,
        datastore_id=around.volumes.id(key),
        size_bytes=image.size_bytes,
        role=role,
        snapshot_id=machine.owners.get(key) if role is LayerRole.DELTA else None,
        format=image.format,
        exists=image.exists,
    )


def _snapshot(
    checkpoint: CheckpointRow, machine: Machine, around: Surroundings, whole: tuple[str, ...]
) -> Snapshot:
    parts = sizes.parts(checkpoint, machine, around.images, around.written)
    measured = sizes.measured(checkpoint, machine, around.images, parts)
    forbidden = protections.of_checkpoint(checkpoint, machine, parts, around)
    memory = _has_memory(checkpoint.state)
    return Snapshot(
        id=checkpoint.id,
        name=checkpoint.name,
        description=checkpoint.notes,
        kind=kinds.kind(checkpoint.type),
        created_at=checkpoint.created_at,
        parent_id=checkpoint.parent,
        power_state=_power_state(checkpoint.state),
        has_memory=memory,
        size_bytes=measured.kept_bytes,
        pinned_bytes=measured.pinned_bytes,
        reclaimable_bytes=measured.gain,
        is_quiesced=kinds.is_quiesced(checkpoint.type, has_memory=memory),
        protections=tuple(dict.fromkeys((*whole, *forbidden))),
        identity=identity.of_checkpoint(checkpoint),
    )


def _has_memory(state: int | None) -> bool | None:
    if state in _WITH_MEMORY:
        return True
    return False if state == statuses.OFF else None


def _power_state(state: int | None) -> PowerState:
    """What the machine would be after going back: a production checkpoint leaves it off."""
    memory = _has_memory(state)
    if memory is None:
        return PowerState.UNKNOWN
    return PowerState.ON if memory else PowerState.OFF
