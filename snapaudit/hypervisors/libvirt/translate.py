"""A host's raw answers as an Inventory: pure but for looking at the image files it is given."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from snapaudit.hypervisors.libvirt import (
    consolidation,
    datastores,
    identity,
    protections,
    sizes,
    snapshots,
    strays,
    tables,
    unregistered,
    xml,
)
from snapaudit.hypervisors.libvirt import (
    graph as graphs,
)
from snapaudit.hypervisors.libvirt import (
    machine as machines,
)
from snapaudit.hypervisors.libvirt.files import Files
from snapaudit.hypervisors.libvirt.folders import completed
from snapaudit.hypervisors.libvirt.graph import Graph
from snapaudit.hypervisors.libvirt.machine import Machine
from snapaudit.hypervisors.libvirt.parsed import ParsedHost, parse_host
from snapaudit.hypervisors.libvirt.protections import Surroundings
from snapaudit.hypervisors.libvirt.raw import RawHost
from snapaudit.model.endpoint import Endpoint
from snapaudit.model.inventory import (
    Checkpoint,
    Coverage,
    CoverageState,
    Gap,
    Host,
    Inventory,
    LayerRole,
    PowerState,
    Snapshot,
    VirtualMachine,
)

_STATES = {
    1: PowerState.ON,
    2: PowerState.ON,
    3: PowerState.PAUSED,
    4: PowerState.ON,
    5: PowerState.OFF,
    6: PowerState.OFF,
    7: PowerState.SUSPENDED,
}
_PLAIN_XEN = "Xen"
_NOTHING_VISIBLE = (
    "not one virtual machine is visible: there is none, or this account may not see them "
    "(libvirt's access rules filter lists without a word)"
)


@dataclass(frozen=True, slots=True)
class View:
    """A host understood: every domain, and all images with who stands on whom.

    ``only``: the domain whose images were measured and which alone will be described; the others
    were looked at for what of theirs may stand on its images. None: all of them.
    """

    host: ParsedHost
    around: Surroundings
    only: str | None

    @property
    def described(self) -> tuple[Machine, ...]:
        """The machines an inventory of this view is about."""
        machines = self.around.machines
        return tuple(machines[uuid] for uuid in machines if self.only in (None, uuid))


def view(raw: RawHost, files: Files, *, only: str | None = None) -> View:
    """Understand a host's raw answers. Looks at the files; changes nothing."""
    host = completed(parse_host(raw), files)
    graph = graphs.build(host, files)
    put_together = {d.raw["uuid"]: machines.build(host, d, graph) for d in host.domains}
    measured = [item for uuid, item in put_together.items() if only in (None, uuid)]
    around = Surroundings(
        graph=graph,
        images=sizes.build(host, files, graph.capacities),
        tables=tables.read(_chain_images(measured), graph, files),
        machines=put_together,
        version=raw["library_version"],
    )
    return View(host, around, only)


def inventory(
    raw: RawHost,
    files: Files,
    *,
    endpoint: Endpoint,
    collected_at: datetime,
    is_local: bool,
    is_verified: bool,
) -> Inventory:
    """The whole host as the model has it."""
    return described(
        view(raw, files),
        endpoint=endpoint,
        collected_at=collected_at,
        is_local=is_local,
        is_verified=is_verified,
    )


def described(
    seen: View, *, endpoint: Endpoint, collected_at: datetime, is_local: bool, is_verified: bool
) -> Inventory:
    """A view as the model has it; unused files are looked for only in a whole one."""
    host, around, raw = seen.host, seen.around, seen.host.raw
    host_id = host.uuid or raw["hostname"]
    gaps = (*host.gaps, *_gaps(seen))
    is_whole = all(domain.is_whole for domain in host.domains) and seen.only is None
    return Inventory(
        endpoint=endpoint.name,
        hypervisor="libvirt",
        manager_id=host_id,
        collected_at=collected_at,
        clock_skew_seconds=0.0 if is_local else None,
        lab=endpoint.lab,
        connection_verified=is_verified,
        coverage=_coverage(host, gaps),
        hosts=(Host(id=host_id, name=raw["hostname"], version=_version(raw)),),
        datastores=tuple(
            datastores.datastore(pool, around.graph, around.images, host_id=host_id)
            for pool in host.pools
        ),
        virtual_machines=tuple(_machine(item, around, host_id) for item in seen.described),
        strays=tuple(strays.find(host, around.graph, around.images)) if is_whole else (),
        gaps=gaps,
        blind_spots=(*_blind_spots(around.images.files), *_without_snapshots(raw)),
    )


def _chain_images(put_together: Iterable[Machine]) -> set[str]:
    return {path for machine in put_together for path in machine.images}


def _version(raw: RawHost) -> str:
    def dotted(number: int) -> str:
        return f"{number // 1_000_000}.{number // 1000 % 1000}.{number % 1000}"

    return (
        f"libvirt {dotted(raw['library_version'])}, "
        f"{raw['driver']} {dotted(raw['hypervisor_version'])}"
    )


def _coverage(host: ParsedHost, gaps: tuple[Gap, ...]) -> Coverage:
    if gaps:
        more = f" (and {len(gaps) - 1} more)" if len(gaps) > 1 else ""
        reason = f"{gaps[0].subject}: {gaps[0].reason}{more}"
        return Coverage(state=CoverageState.PARTIAL, reason=reason)
    if not host.domains:
        return Coverage(state=CoverageState.SUSPICIOUS, reason=_NOTHING_VISIBLE)
    return Coverage(state=CoverageState.COMPLETE)


def _blind_spots(files: Files) -> tuple[str, ...]:
    if files.reads_images:
        return ()
    reason = files.open("")
    return (
        f"image files were not opened ({reason}): the sizes of internal snapshots are unknown, and "
        "snapshots that libvirt does not know of cannot be seen",
    )


def _without_snapshots(raw: RawHost) -> Iterator[str]:
    """Plain Xen: its driver (libxl) answers every call about snapshots with VIR_ERR_NO_SUPPORT."""
    if raw["driver"] == _PLAIN_XEN:
        yield (
            "this is plain Xen, and libvirt's driver for it has no snapshots: there are none here; "
            "a XenServer or XCP-ng pool is read as an endpoint of kind xen"
        )


def _gaps(seen: View) -> Iterator[Gap]:
    host, around = seen.host, seen.around
    for pool in host.pools:
        if not pool.raw["active"]:
            yield Gap(subject=f"storage pool {pool.raw['name']}", reason="it is not active")
    if not all(domain.is_whole for domain in host.domains):
        reason = "not judged, because some machine could not be read as a whole"
        yield Gap(subject="unused files", reason=reason)
    for machine in around.machines.values():
        subject = f"virtual machine {machine.domain.raw['name']}"
        yield from (Gap(subject=subject, reason=r) for r in _unseen_images(machine, around))
    for machine in seen.described:
        subject = f"virtual machine {machine.domain.raw['name']}"
        reasons = (r for disk in machine.disks for r in protections.disputes(disk, around.graph))
        yield from (Gap(subject=subject, reason=reason) for reason in reasons)


def _unseen_images(machine: Machine, around: Surroundings) -> Iterator[str]:
    """Images that should be readable and are not. One that is known to be gone is a finding."""
    for disk in machine.disks:
        lost = any(around.images.facts(path).exists is False for path in disk.chain.paths)
        if not disk.chain.is_complete and not lost:
            yield f"disk {disk.target}: what {disk.chain.paths[0]} stands on could not be seen"
        if around.images.files.reads_images and not lost:
            unread = ((path, around.tables.unread.get(path)) for path in disk.chain.paths)
            yield from (f"{path}: {reason}" for path, reason in unread if reason)


def _machine(machine: Machine, around: Surroundings, host_id: str) -> VirtualMachine:
    domain, raw = machine.domain, machine.domain.raw
    disks = machines.virtual_disks(machine, around.graph, around.images)
    whole = tuple(protections.of_machine(machine, around))
    listed = [_snapshot(xml, machine, around, whole) for xml in domain.snapshots]
    listed += unregistered.find(machine, around.tables)
    return VirtualMachine(
        id=raw["uuid"],
        name=raw["name"],
        host_id=host_id,
        power_state=_STATES.get(raw["state"], PowerState.UNKNOWN),
        disks=disks,
        snapshots=tuple(sorted(listed, key=_by_age)),
        current_snapshot_id=raw["current"],
        consolidation_needed=_needs_consolidation(machine, around.graph),
        busy=None if raw["trouble"] else any(True for _ in protections.busy_reasons(machine)),
        is_template=_is_template(machine, around),
        notes="\n".join(part for part in (domain.live.title, domain.live.description) if part),
        checkpoints=tuple(_checkpoint(point) for point in domain.checkpoints),
        protections=whole,
        consolidation_protections=tuple(dict.fromkeys(consolidation.protections(machine, around))),
        consolidation_doubt=consolidation.doubt(machine, around),
    )


def _by_age(snapshot: Snapshot) -> tuple[bool, str, str]:
    at = snapshot.created_at
    return (at is None, at.isoformat() if at else "", snapshot.id)


def _needs_consolidation(machine: Machine, graph: Graph) -> bool | None:
    """Libvirt has no such mark: it is read off chains that the snapshots do not explain."""
    if any(LayerRole.PHANTOM in disk.roles for disk in machine.disks):
        return True
    is_known = all(disk.chain.is_complete for disk in machine.disks)
    is_known = is_known and graph.disputed.keys().isdisjoint(machine.images)
    return False if is_known else None


def _is_template(machine: Machine, around: Surroundings) -> bool:
    """Whether images of other machines stand on an image that is this machine's own."""
    ours = protections.of_its_own(machine, around.graph)
    return any(
        around.graph.others_on(path, ours)
        for disk in machine.disks
        for path, role in zip(disk.chain.paths, disk.roles, strict=True)
        if role is not LayerRole.TEMPLATE or LayerRole.BASE not in disk.roles
    )


def _snapshot(
    snapshot: xml.SnapshotXml, machine: Machine, around: Surroundings, whole: tuple[str, ...]
) -> Snapshot:
    kind = snapshots.kind(snapshot)
    measured = (
        snapshots.external_sizes(snapshot, around.graph, around.images, version=around.version)
        if kind == "external"
        else snapshots.internal_sizes(snapshot, machine, around.tables)
    )
    return Snapshot(
        id=snapshot.name,
        name=snapshot.name,
        description=snapshot.description,
        kind=kind,
        created_at=snapshot.created_at,
        parent_id=snapshot.parent,
        power_state=snapshots.power_state(snapshot),
        has_memory=snapshot.memory != "no",
        size_bytes=measured.size_bytes,
        pinned_bytes=measured.pinned_bytes,
        reclaimable_bytes=measured.reclaimable_bytes,
        protections=(*whole, *dict.fromkeys(protections.of_snapshot(snapshot, machine, around))),
        identity=identity.of_snapshot(snapshot, machine, around.tables, around.images),
    )


def _checkpoint(point: xml.CheckpointXml) -> Checkpoint:
    """Backup tools sign their bitmaps: ``virtnbdbackup.3`` belongs to virtnbdbackup."""
    owners = {bitmap.rpartition(".")[0] for bitmap in point.bitmaps if "." in bitmap}
    return Checkpoint(
        id=point.name,
        name=point.name,
        created_at=point.created_at,
        parent_id=point.parent,
        disk_labels=point.targets,
        owner=owners.pop() if len(owners) == 1 else None,
    )
