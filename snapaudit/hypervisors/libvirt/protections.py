"""Why a snapshot must not be deleted: read off the graph of all images over all domains.

libvirt itself protects none of the shared images: it merges an overlay into a template that other
machines stand on and reports success. Every rule here was seen to lose data, or to be refused half
way, on a real daemon; `docs/hypervisors/libvirt.md` has the table.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from posixpath import basename

from snapaudit.hypervisors.libvirt.graph import Graph
from snapaudit.hypervisors.libvirt.machine import DiskChain, Machine
from snapaudit.hypervisors.libvirt.sizes import Images
from snapaudit.hypervisors.libvirt.snapshots import external_disks, kind
from snapaudit.hypervisors.libvirt.tables import Tables
from snapaudit.hypervisors.libvirt.xml import SnapshotXml
from snapaudit.model.inventory import LayerRole

# Before 11.0 libvirt can delete the base image of an external snapshot whose internal parent was
# reverted to (release notes of 11.0).
INTERNAL_PARENT_IS_SAFE = 11_000_000
_PAUSED, _IO_ERROR, _STARTING = 3, 5, 11


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What a protection is judged from."""

    graph: Graph
    images: Images
    tables: Tables
    machines: dict[str, Machine]
    version: int


def of_machine(machine: Machine, around: Surroundings) -> Iterator[str]:
    """What forbids every change to the chains of this machine."""
    raw = machine.domain.raw
    yield from (f"busy: {reason}" for reason in busy_reasons(machine))
    if raw["managed_save"]:
        yield "managed-save: its saved memory belongs to the chain as it is now"
    if not raw["persistent"]:
        yield "transient: its definition vanishes when it stops"
    if machine.domain.checkpoints:
        names = ", ".join(point.name for point in machine.domain.checkpoints[:3])
        yield f"checkpoints: a backup chain stands on its dirty bitmaps ({names})"
    if raw["state"] == _PAUSED and raw["reason"] == _IO_ERROR:
        yield "io-error: it is paused because a write failed; free space first"
    if raw["trouble"]:
        yield "unread: not all of it could be read"
    yield from _chain_trouble(machine, around)


def busy_reasons(machine: Machine) -> Iterator[str]:
    """The work that is going on in a machine."""
    raw = machine.domain.raw
    if raw["job"]:
        yield "a job runs on it (backup, migration, save)"
    if raw["state"] == _PAUSED and raw["reason"] == _STARTING:
        yield "it is being started, as a running deletion does"
    for disk in machine.disks:
        if disk.has_mirror:
            yield f"a block job holds disk {disk.target}"


def _chain_trouble(machine: Machine, around: Surroundings) -> Iterator[str]:
    for disk in machine.disks:
        lost = [p for p in disk.chain.paths if around.images.facts(p).exists is False]
        if lost:
            yield f"broken-chain: disk {disk.target} stands on {lost[0]}, which is gone"
        elif not disk.chain.is_complete:
            yield f"unknown-chain: what lies below {disk.chain.paths[0]} could not be seen"
        yield from (f"disputed-chain: {reason}" for reason in disputes(disk, around.graph))


def disputes(disk: DiskChain, graph: Graph) -> Iterator[str]:
    """Where libvirt and an image disagree about what the image stands on.

    Seen when QEMU ended a merge while no libvirtd was there to hear of it: libvirt goes on naming
    an overlay that the machine no longer stands on.
    """
    if disk.has_mirror:
        return  # a merge that ends just now
    for path in disk.chain.paths:
        if path in graph.disputed:
            told, named = graph.backing.get(path), graph.disputed[path]
            yield (
                f"libvirt says that {path} stands on {told or 'nothing'}, and the image itself "
                f"names {named or 'nothing'} (docs/hypervisors/libvirt.md, disputed-chain)"
            )


def of_snapshot(snapshot: SnapshotXml, machine: Machine, around: Surroundings) -> Iterator[str]:
    """What forbids deleting this one, beside what holds for its whole machine."""
    if kind(snapshot) == "external":
        yield from _external(snapshot, machine, around)
    else:
        yield from _internal(snapshot, machine, around)
    if machine.domain.raw["state"] == _PAUSED and snapshot.memory != "no":
        yield "paused: libvirt cannot delete a snapshot with memory while the machine is paused"


def _external(snapshot: SnapshotXml, machine: Machine, around: Surroundings) -> Iterator[str]:
    graph = around.graph
    for disk, overlay in external_disks(snapshot, graph):
        if around.images.facts(overlay).exists is False:
            yield f"no-data: its overlay {overlay} is gone, only the record is left"
        target = graph.backing.get(overlay)
        held = machine.disk(disk.target)
        own = held.chain.paths if held is not None else ()
        if target is not None:
            yield from shared(target, {overlay}, own, machine, around)
        above = {path for path in graph.children.get(overlay, set()) if path in own}
        yield from shared(overlay, above, own, machine, around)
        inside = around.tables.sizes.get(overlay)
        if inside is not None and inside.snapshots:
            names = ", ".join(sorted(entry.name for entry in inside.snapshots)[:3])
            yield f"internal-inside: merging {basename(overlay)} would lose {names}"
        elif overlay in around.tables.unread and _has_internal_below(snapshot, machine):
            yield f"internal-inside: {basename(overlay)} may hold internal snapshots"
    children = [s.name for s in machine.domain.snapshots if s.parent == snapshot.name]
    if len(children) > 1:
        yield f"branched: {len(children)} snapshots stand on it"
    parent = next((s for s in machine.domain.snapshots if s.name == snapshot.parent), None)
    if (
        parent is not None
        and kind(parent) == "internal"
        and (around.version < INTERNAL_PARENT_IS_SAFE)
    ):
        yield "internal-parent: before 11.0 libvirt may delete the base image of such a snapshot"


def _has_internal_below(snapshot: SnapshotXml, machine: Machine) -> bool:
    below = {snapshot.name}
    for _ in machine.domain.snapshots:
        below |= {s.name for s in machine.domain.snapshots if s.parent in below}
    return any(kind(s) == "internal" for s in machine.domain.snapshots if s.name in below)


def shared(
    path: str, known: set[str], own: tuple[str, ...], machine: Machine, around: Surroundings
) -> Iterator[str]:
    """An image that would be written or removed, while something else stands on it too."""
    every = around.graph.others_on(path, known)
    ours = of_its_own(machine, around.graph)
    others = [image for image in every if image not in ours]
    if len(others) < len(every):
        yield f"own-branch: another image of this machine also stands on {path}"
    if others:
        named = _owner(others[0], around) or others[0]
        more = f" and {len(others) - 1} more" if len(others) > 1 else ""
        yield f"shared-backing: {named}{more} also stands on {path}"
    users = sorted(around.graph.tops.get(path, set()) - {machine.uuid})
    if users:
        name = around.machines[users[0]].domain.raw["name"] if users[0] in around.machines else "?"
        yield f"shared-backing: {path} is the disk of {name} too"
    if path in own and not every and not users and _role(path, machine) is LayerRole.TEMPLATE:
        yield f"template: {path} seems to be a template"


def of_its_own(machine: Machine, graph: Graph) -> frozenset[str]:
    """Its images, and what its snapshots left beside its chains, if nobody else stands on that.

    Such are the branches that a machine was reverted from, and an overlay that has been merged.
    """
    left = set(machine.explained) - machine.images
    while not_ours := {path for path in left if _is_others(path, left, machine, graph)}:
        left -= not_ours
    return machine.images | left


def _is_others(path: str, left: set[str], machine: Machine, graph: Graph) -> bool:
    users = graph.tops.get(path, set()) - {machine.uuid}
    return bool(users or graph.children.get(path, set()) - machine.images - left)


def _role(path: str, machine: Machine) -> LayerRole | None:
    for disk in machine.disks:
        if path in disk.chain.paths:
            return disk.roles[disk.chain.paths.index(path)]
    return None


def _owner(path: str, around: Surroundings) -> str | None:
    for machine in around.machines.values():
        if path in machine.images:
            return machine.domain.raw["name"]
    return None


def _internal(snapshot: SnapshotXml, machine: Machine, around: Surroundings) -> Iterator[str]:
    for disk in snapshot.disks:
        held = machine.disk(disk.target) if disk.mode == "internal" else None
        if held is None:
            continue
        paths = held.chain.paths
        holding = around.tables.holding(snapshot.name, paths)
        if not holding and not around.tables.reason(paths):
            yield f"no-data: no image of disk {disk.target} holds it, only the record is left"
        for path in holding or paths[-1:]:
            above = set(paths[paths.index(path) + 1 : paths.index(path) + 2])
            yield from shared(path, above, (), machine, around)
